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

// Its members are exported for the state on disk.
type feedbackBatch struct {
	Records []feedbackRecord
	Born    int64
	Closes  time.Time // when the service gets it, unless it is full before
	Token   string    // of the lock; "" for none
	Until   time.Time // when the lock ends
}

func (b *feedbackBatch) isOpen(now time.Time) bool {
	return len(b.Records) < maxFeedback && now.Before(b.Closes)
}

func (b *feedbackBatch) isLocked(now time.Time) bool { return b.Token != "" && now.Before(b.Until) }

// addFeedback is called with the lock held.
func (h *hub) addFeedback(r feedbackRecord, now time.Time) {
	batches := h.mail.feedback
	if n := len(batches); n == 0 || !batches[n-1].isOpen(now) {
		h.mail.born++
		batches = append(batches, &feedbackBatch{Born: h.mail.born, Closes: now.Add(feedbackAge)})
	}
	last := batches[len(batches)-1]
	last.Records = append(last.Records, r)
	h.mail.feedback = batches
	h.store.touch(keptFeedback, last.key())
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
		b.Token, b.Until = h.dice.uuid(), c.now.Add(feedbackLock)
		h.store.touch(keptFeedback, b.key())
		a := reply(b.Records)
		a.header.Set("Content-Type", "application/vnd.microsoft.iothub.feedback.json")
		a.header["ETag"] = []string{`"` + b.Token + `"`}
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
	h.store.touch(keptFeedback, h.mail.feedback[i].key())
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
	h.mail.feedback[i].Token = ""
	h.store.touch(keptFeedback, h.mail.feedback[i].key())
	return newAnswer(204, nil), nil
}

// locked returns the place of the batch that the token of c still locks.
func (f feedback) locked(c *call) (int, error) {
	for i, b := range f {
		if b.isLocked(c.now) && b.Token == c.ids[0] {
			return i, nil
		}
	}
	return 0, refuse("DeviceMessageLockLost", "The lock '%s' is lost.", c.ids[0])
}
