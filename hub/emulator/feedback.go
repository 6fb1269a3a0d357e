package emulator

import "time"

var runtimeRoutes = []route{
	{"GET", "/messages/serviceBound/feedback", "cloudToDeviceMessages/feedback/action", (*hub).receiveFeedback},
	{"DELETE", "/messages/serviceBound/feedback/*", "cloudToDeviceMessages/feedback/action", (*hub).completeFeedback},
	{"POST", "/messages/serviceBound/feedback/*/abandon", "cloudToDeviceMessages/feedback/action", (*hub).abandonFeedback},
	{"DELETE", "/devices/*/commands", "cloudToDeviceMessages/queue/purge/action", (*hub).purge},
}

// A feedbackRecord is what became of one message, on the wire.
type feedbackRecord struct {
	OriginalMessageID string `json:"originalMessageId"`
	Enqueued          string `json:"enqueuedTimeUtc"`
	StatusCode        string `json:"statusCode"`
	Description       string `json:"description"`
	DeviceID          string `json:"deviceId"`
	Generation        string `json:"deviceGenerationId"`
}

// Feedback comes in batches: the service gets one when it is full or old enough.
const (
	maxFeedback  = 64
	feedbackAge  = 15 * time.Second
	feedbackLock = time.Minute
)

// A feedback is the queue of batches, the oldest first. It is guarded by the hub.
type feedback []*feedbackBatch

type feedbackBatch struct {
	records []feedbackRecord
	closes  time.Time // when the service gets it, unless it is full before
	token   string    // of the lock; "" for none
	until   time.Time // when the lock ends
}

func (b *feedbackBatch) isOpen(now time.Time) bool {
	return len(b.records) < maxFeedback && now.Before(b.closes)
}

func (b *feedbackBatch) isLocked(now time.Time) bool { return b.token != "" && now.Before(b.until) }

// addFeedback is called with the lock held.
func (h *hub) addFeedback(r feedbackRecord, now time.Time) {
	batches := h.mail.feedback
	if n := len(batches); n == 0 || !batches[n-1].isOpen(now) {
		batches = append(batches, &feedbackBatch{closes: now.Add(feedbackAge)})
	}
	last := batches[len(batches)-1]
	last.records = append(last.records, r)
	h.mail.feedback = batches
}

// receiveFeedback locks a batch and answers with it, 204 when there is none. A
// lock that was not used in time is free again.
func (h *hub) receiveFeedback(c *call) (*answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, b := range h.mail.feedback {
		if b.isOpen(c.now) || b.isLocked(c.now) {
			continue
		}
		b.token, b.until = h.dice.uuid(), c.now.Add(feedbackLock)
		a := reply(b.records)
		a.header.Set("Content-Type", "application/vnd.microsoft.iothub.feedback.json")
		a.header["ETag"] = []string{`"` + b.token + `"`}
		return a, nil
	}
	return newAnswer(204, nil), nil
}

func (h *hub) completeFeedback(c *call) (*answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i, err := h.mail.feedback.locked(c)
	if err != nil {
		return nil, err
	}
	h.mail.feedback = append(h.mail.feedback[:i:i], h.mail.feedback[i+1:]...)
	return newAnswer(204, nil), nil
}

func (h *hub) abandonFeedback(c *call) (*answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i, err := h.mail.feedback.locked(c)
	if err != nil {
		return nil, err
	}
	h.mail.feedback[i].token = ""
	return newAnswer(204, nil), nil
}

// locked returns the place of the batch that the token of c still locks.
func (f feedback) locked(c *call) (int, error) {
	for i, b := range f {
		if b.isLocked(c.now) && b.token == c.ids[0] {
			return i, nil
		}
	}
	return 0, refuse("DeviceMessageLockLost", "The lock '%s' is lost.", c.ids[0])
}
