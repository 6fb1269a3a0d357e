package emulator

import (
	"fmt"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

var twinRoutes = []route{
	{"GET", "/twins/*", "twins/read", (*hub).getTwin},
	{"GET", "/twins/*/modules/*", "twins/read", (*hub).getTwin},
	{"PATCH", "/twins/*", "twins/write", (*hub).patchTwin},
	{"PATCH", "/twins/*/modules/*", "twins/write", (*hub).patchTwin},
	{"PUT", "/twins/*", "twins/write", (*hub).replaceTwin},
	{"PUT", "/twins/*/modules/*", "twins/write", (*hub).replaceTwin},
}

func (h *hub) getTwin(c *call) (*answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d, err := h.document(c.ref())
	if err != nil {
		return nil, err
	}
	return newAnswer(200, d.answer()), nil // twins have no ETag header
}

func (h *hub) patchTwin(c *call) (*answer, error)   { return h.writeTwin(c, false) }
func (h *hub) replaceTwin(c *call) (*answer, error) { return h.writeTwin(c, true) }

func (h *hub) writeTwin(c *call, replace bool) (*answer, error) {
	e, err := readEdit(c.body, replace)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	d, err := h.writeDocument(c.ref(), e, c.ifMatch, c.now)
	if err != nil {
		return nil, err
	}
	return newAnswer(200, d.answer()), nil
}

// writeDocument makes an edit of the twin named ref if its etag meets ifMatch.
// The caller holds the lock.
func (h *hub) writeDocument(ref twin.Ref, e *edit, ifMatch string, now time.Time) (*document, error) {
	d, err := h.document(ref)
	if err != nil {
		return nil, err
	}
	if !meets(ifMatch, d.parse().ETag) {
		return nil, refuse("PreconditionFailed", "ETag mismatch for %s", idsOf(d.ref))
	}
	if d, err = d.write(e, now); err != nil {
		return nil, err
	}
	h.fleet.put(d)
	return d, nil
}

// document returns the twin named ref. A missing module is a missing device to
// the hub as well. The caller holds the lock.
func (h *hub) document(ref twin.Ref) (*document, error) {
	d := h.fleet.documents[ref]
	if d == nil {
		return nil, refuse("DeviceNotFound", "%s", idsOf(ref))
	}
	return d, nil
}

// idsOf names a twin as the texts of refusals do.
func idsOf(ref twin.Ref) string {
	if ref.Module != "" {
		return fmt.Sprintf("device ID '%s', module ID '%s'", ref.Device, ref.Module)
	}
	return fmt.Sprintf("device ID '%s'", ref.Device)
}
