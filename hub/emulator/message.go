package emulator

import (
	"fmt"
	"slices"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Message is one from the cloud to a device. The hub takes them over AMQP
// only, so they come by [Emulator.Send].
type Message struct {
	ID       string // "" for one from the seed
	Body     []byte
	Feedback Feedback
	Expires  time.Time // zero means an hour after it was sent
}

// Feedback says of which fates of a message the service wants to hear.
type Feedback string

const (
	FeedbackNone     Feedback = ""
	FeedbackPositive Feedback = "positive" // that it was completed
	FeedbackNegative Feedback = "negative" // that it was not
	FeedbackFull     Feedback = "full"
)

// A Receiver is a [Device] that takes messages. Those of other devices wait.
type Receiver interface {
	// Receive is told of a message, and says what becomes of it. As of the methods
	// of Device, it is called while the hub stands still.
	Receive(m Message) Settlement
}

// A Settlement is what a device does with a message.
type Settlement int

const (
	Complete Settlement = iota // it is done
	Reject                     // it will never be done
	Abandon                    // it should come again
	Leave                      // it stays where it is until the device connects anew
)

const (
	maxMessage    = 64 << 10
	maxQueue      = 50 // messages for one device
	messageLife   = time.Hour
	maxDeliveries = 10 // the default of new hubs
)

// A letter is a message in a queue. Its members are exported for the state on
// disk.
type letter struct {
	Message
	Device     string
	Born       int64 // counts letters and batches of feedback
	Deliveries int
	Generation string
}

// Mail is what waits for devices, and the feedback that waits for the service.
// It is guarded by its hub.
type mail struct {
	queues   map[string][]*letter // by device
	feedback feedback
	born     int64
}

// Send puts a message into the queue of a device. It fails with
// [twin.ErrNotFound], and when the message is too large or the queue is full. A
// device that is online gets it when the hub catches up.
func (e *Emulator) Send(device string, m Message) error {
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	if err := e.hub.send(device, m, e.hub.moment()); err != nil {
		return fmt.Errorf("send to %s: %w", device, err)
	}
	return e.hub.keep()
}

// send is called with the lock held, as is every function here.
func (h *hub) send(device string, m Message, now time.Time) error {
	ref := twin.Ref{Device: device}
	if h.fleet.documents[ref] == nil {
		return twin.ErrNotFound
	}
	if len(m.Body) > maxMessage {
		return refuse("MessageTooLarge", "%d bytes, the hub takes %d", len(m.Body), maxMessage)
	}
	if len(h.mail.queues[device]) >= maxQueue {
		return refuse("DeviceMaximumQueueDepthExceeded", "the queue has %d messages", maxQueue)
	}
	m.ID = either(m.ID, h.dice.uuid())
	if m.Expires.IsZero() {
		m.Expires = now.Add(messageLife)
	}
	h.mail.born++
	l := &letter{Message: m, Device: device, Born: h.mail.born, Generation: h.registration(ref).Generation}
	h.setQueue(device, append(h.mail.queues[device], l))
	h.post(l)
	h.deliverLater(ref, now)
	return nil
}

// post keeps a letter that is in its queue until it expires.
func (h *hub) post(l *letter) {
	h.store.touch(keptLetters, l.key())
	h.agenda.plan(l.Expires, func(now time.Time) { h.settleLetter(l, "Expired", now) })
}

// setQueue puts a queue in the place of another, and its length into the twin,
// which shows it.
func (h *hub) setQueue(device string, queue []*letter) {
	h.mail.put(device, queue)
	if d := h.fleet.documents[twin.Ref{Device: device}]; d != nil {
		o := d.decode()
		o["cloudToDeviceMessageCount"] = number(int64(len(queue)))
		h.fleet.put(newDocument(d.ref, o))
	}
}

func (m *mail) put(device string, queue []*letter) {
	if m.queues == nil {
		m.queues = map[string][]*letter{}
	}
	if m.queues[device] = queue; len(queue) == 0 {
		delete(m.queues, device)
	}
}

// discard empties the queue of a device and returns what was in it.
func (h *hub) discard(device string) []*letter {
	queue := h.mail.queues[device]
	for _, l := range queue {
		h.store.touch(keptLetters, l.key())
	}
	h.mail.put(device, nil)
	return queue
}

func (h *hub) deliverLater(ref twin.Ref, now time.Time) {
	if len(h.mail.queues[ref.Device]) > 0 && ref.Module == "" {
		h.agenda.plan(now, func(now time.Time) { h.deliver(ref, now) })
	}
}

// deliver hands a device what waits for it, in order.
func (h *hub) deliver(ref twin.Ref, now time.Time) {
	receiver, ok := h.connections[ref].(Receiver)
	if !ok {
		return
	}
	for _, l := range slices.Clone(h.mail.queues[ref.Device]) {
		for again := true; again; {
			l.Deliveries++
			h.store.touch(keptLetters, l.key())
			settlement := receiver.Receive(l.Message)
			again = settlement == Abandon && l.Deliveries < maxDeliveries
			if outcome := outcomes[settlement]; outcome != "" && !again {
				h.settleLetter(l, outcome, now)
			}
		}
	}
}

// outcomes names what becomes of a message by its last settlement.
var outcomes = map[Settlement]string{Complete: "Success", Reject: "Rejected", Abandon: "DeliveryCountExceeded"}

// settleLetter takes a message out of its queue, if it is still there, and tells
// the service if it wants to know.
func (h *hub) settleLetter(l *letter, outcome string, now time.Time) {
	queue := h.mail.queues[l.Device]
	i := slices.Index(queue, l)
	if i < 0 {
		return
	}
	h.store.touch(keptLetters, l.key())
	h.setQueue(l.Device, slices.Delete(slices.Clone(queue), i, i+1))
	h.noteOutcome(l, outcome, now)
}

func (h *hub) noteOutcome(l *letter, outcome string, now time.Time) {
	wanted := l.Feedback == FeedbackFull || l.Feedback == FeedbackPositive && outcome == "Success" ||
		l.Feedback == FeedbackNegative && outcome != "Success"
	if wanted {
		h.addFeedback(feedbackRecord{
			OriginalMessageID: l.ID, Enqueued: stamp(now), StatusCode: outcome, Description: outcome,
			DeviceID: l.Device, Generation: l.Generation,
		}, now)
	}
}

// purge answers with how many messages were thrown away.
func (h *hub) purge(c *call) (*answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	device := c.ids[0]
	if _, err := h.document(twin.Ref{Device: device}); err != nil {
		return nil, err
	}
	queue := h.discard(device)
	if len(queue) > 0 {
		h.setQueue(device, nil)
	}
	for _, l := range queue {
		h.noteOutcome(l, "Purged", c.now)
	}
	return reply(struct {
		DeviceID string `json:"deviceId"`
		Total    int    `json:"totalMessagesPurged"`
	}{device, len(queue)}), nil
}
