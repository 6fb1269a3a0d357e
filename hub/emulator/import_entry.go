package emulator

import (
	"strings"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// An importEntry is one identity in a bulk request, or one line of the
// devices.txt of an import job, with its twin.
type importEntry struct {
	ID, ModuleID string
	ETag         string // Node sends it as "etag"; case does not matter here
	ImportMode   string
	TwinETag     string
	Tags         twin.Object
	Properties   struct{ Desired twin.Object }
	identityBody
}

// readImportEntry reads an entry. Also when it fails it returns what names it.
func readImportEntry(line []byte) (*importEntry, error) {
	e := &importEntry{}
	if err := readBody(line, e); err != nil {
		return e, err
	}
	return e, nil
}

func (e *importEntry) ref() twin.Ref { return twin.Ref{Device: e.ID, Module: e.ModuleID} }

// data returns what e says of the twin. Reported properties are the device's: a
// service cannot write them, which is inferred for imports.
func (e *importEntry) data() *edit {
	d := &edit{tags: e.Tags, desired: e.Properties.Desired}
	if d.desired != nil {
		d.desired = withoutHubKeys(d.desired)
	}
	return d
}

// An importMode is what can be done with an entry.
type importMode struct {
	name string
	do   func(h *hub, e *importEntry, now time.Time) error
}

// importModes lists them. Whether the bulk endpoint knows the two of
// createOrUpdate, which the documentation has for import jobs, is not known.
var importModes = []importMode{
	{"createOrUpdate", func(h *hub, e *importEntry, now time.Time) error { return h.importEither(e, "", now) }},
	{"createOrUpdateIfMatchETag", func(h *hub, e *importEntry, now time.Time) error { return h.importEither(e, e.ETag, now) }},
	{"create", func(h *hub, e *importEntry, _ time.Time) error { return h.importNew(e) }},
	{"update", func(h *hub, e *importEntry, now time.Time) error { return h.importOver(e, "", now) }},
	{"updateIfMatchETag", func(h *hub, e *importEntry, now time.Time) error { return h.importOver(e, e.ETag, now) }},
	{"delete", func(h *hub, e *importEntry, _ time.Time) error { return h.importNone(e, "") }},
	{"deleteIfMatchETag", func(h *hub, e *importEntry, _ time.Time) error { return h.importNone(e, e.ETag) }},
	{"updateTwin", func(h *hub, e *importEntry, now time.Time) error { return h.importTwin(e, "", now) }},
	{"updateTwinIfMatchETag", func(h *hub, e *importEntry, now time.Time) error { return h.importTwin(e, e.TwinETag, now) }},
}

// importEntry does what e says. Its error is a refusal. Without a mode it is
// createOrUpdate, as documented for import jobs. Names of modes may be written
// in any case, since Node's client writes them in its own. The caller holds the
// lock.
func (h *hub) importEntry(e *importEntry, now time.Time) error {
	for _, mode := range importModes {
		if strings.EqualFold(mode.name, either(e.ImportMode, "createOrUpdate")) {
			return mode.do(h, e, now)
		}
	}
	return refuse("ArgumentInvalid", "The import mode '%s' is not known.", e.ImportMode)
}

func (h *hub) importEither(e *importEntry, etag string, now time.Time) error {
	if h.fleet.documents[e.ref()] == nil {
		return h.importNew(e)
	}
	return h.importOver(e, etag, now)
}

// importNew creates the identity. The metadata of a twin created so has no time,
// as observed. The hub has a warning for devices that were registered without
// their twin; here neither is made when either is wrong.
func (h *hub) importNew(e *importEntry) error {
	enrolment, err := e.enrol(e.ref())
	if err != nil {
		return err
	}
	_, err = h.create(enrolment, e.data(), time.Time{})
	return err
}

// importOver replaces the identity and merges what is said of the twin, whose
// etag is independent of the identity's, as the page on bulk identities says.
func (h *hub) importOver(e *importEntry, etag string, now time.Time) error {
	enrolment, err := e.enrol(e.ref())
	if err != nil {
		return err
	}
	if _, err := h.amend(enrolment, etag, now); err != nil {
		return err
	}
	if data := e.data(); data.tags == nil && data.desired == nil {
		return nil
	}
	return h.importTwin(e, e.TwinETag, now)
}

// importNone removes the identity. Without an etag deleteIfMatchETag removes it
// too, as observed.
func (h *hub) importNone(e *importEntry, etag string) error {
	if e.ModuleID != "" {
		if err := checkIDs(e.ref()); err != nil {
			return err
		}
	}
	d, err := h.registered(e.ref())
	if err != nil {
		return err
	}
	if err := d.identityPrecondition(etag); err != nil {
		return err
	}
	h.unregister(d.ref)
	return nil
}

// importTwin merges into the twin as PATCH does.
func (h *hub) importTwin(e *importEntry, etag string, now time.Time) error {
	_, err := h.writeDocument(e.ref(), e.data(), etag, now)
	return err
}
