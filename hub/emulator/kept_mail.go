package emulator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// key names a letter in a store. No id of a device has a space.
func (l *letter) key() string { return fmt.Sprintf("%s %d", l.Device, l.Born) }

func (h *hub) letterIDs() (ids []string) {
	for _, device := range slices.Sorted(maps.Keys(h.mail.queues)) {
		for _, l := range h.mail.queues[device] {
			ids = append(ids, l.key())
		}
	}
	return ids
}

func (h *hub) keptLetter(id string) json.RawMessage {
	device, _, _ := strings.Cut(id, " ")
	for _, l := range h.mail.queues[device] {
		if l.key() == id {
			return marshal(l)
		}
	}
	return nil
}

func (h *hub) loadLetter(_ string, value json.RawMessage) error {
	l := &letter{}
	if err := json.Unmarshal(value, l); err != nil {
		return err
	}
	h.mail.put(l.Device, append(h.mail.queues[l.Device], l))
	h.mail.born = max(h.mail.born, l.Born)
	return nil
}

// resumeMail brings what was loaded into its order, and lets letters expire.
func (h *hub) resumeMail() {
	for _, device := range slices.Sorted(maps.Keys(h.mail.queues)) {
		queue := h.mail.queues[device]
		slices.SortFunc(queue, func(a, b *letter) int { return cmp.Compare(a.Born, b.Born) })
		for _, l := range queue {
			h.post(l)
		}
	}
	slices.SortFunc(h.mail.feedback, func(a, b *feedbackBatch) int { return cmp.Compare(a.Born, b.Born) })
}

func (b *feedbackBatch) key() string { return formatInt(b.Born) }

func (h *hub) feedbackIDs() (ids []string) {
	for _, b := range h.mail.feedback {
		ids = append(ids, b.key())
	}
	return ids
}

func (h *hub) keptFeedback(id string) json.RawMessage {
	for _, b := range h.mail.feedback {
		if b.key() == id {
			return marshal(b)
		}
	}
	return nil
}

func (h *hub) loadFeedback(_ string, value json.RawMessage) error {
	b := &feedbackBatch{}
	if err := json.Unmarshal(value, b); err != nil {
		return err
	}
	h.mail.feedback = append(h.mail.feedback, b)
	h.mail.born = max(h.mail.born, b.Born)
	return nil
}
