package emulator

import (
	"encoding/json"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

var bulkRoutes = []route{
	{"POST", "/devices", "devices/write devices/delete", (*hub).bulk},
}

// A bulkResult is the answer to a bulk request, with status 200 when all went
// well and 400 when something did not.
type bulkResult struct {
	IsSuccessful bool        `json:"isSuccessful"`
	Errors       []bulkError `json:"errors"`
	Warnings     []any       `json:"warnings"` // none is made here
}

// A bulkError is one entry that was not done. The code is a number on the wire,
// as clients found, though the hub's reference says a name.
type bulkError struct {
	DeviceID    string  `json:"deviceId"`
	ErrorCode   int     `json:"errorCode"`
	ErrorStatus string  `json:"errorStatus"`
	ModuleID    *string `json:"moduleId"`
	Operation   string  `json:"operation"`
}

// bulk does each entry by itself: those that fail do not undo the others.
func (h *hub) bulk(c *call) (*answer, error) {
	var lines []json.RawMessage
	if err := readBody(c.body, &lines); err != nil {
		return nil, err
	}
	if len(lines) > maxBulk {
		// Which code the hub has for it is not known.
		return nil, refuse("TooManyDevices", "%d entries, the hub takes %d.", len(lines), maxBulk)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	result := bulkResult{Errors: []bulkError{}, Warnings: []any{}}
	seen := map[twin.Ref]bool{}
	for _, line := range lines {
		if err := h.bulkEntry(line, seen, c.now); err != nil {
			result.Errors = append(result.Errors, *err)
		}
	}
	result.IsSuccessful = len(result.Errors) == 0
	a := reply(result)
	if !result.IsSuccessful {
		a.status = 400
	}
	return a, nil
}

// bulkEntry does one entry. That a second one for the same identity fails by
// itself, instead of all of them, is inferred.
func (h *hub) bulkEntry(line []byte, seen map[twin.Ref]bool, now time.Time) *bulkError {
	e, err := readImportEntry(line)
	if err == nil && seen[e.ref()] {
		err = refuse("DeviceDefinedMultipleTimes", "%s is there more than once.", idsOf(e.ref()))
	}
	if err == nil {
		seen[e.ref()] = true
		err = h.importEntry(e, now)
	}
	if err == nil {
		return nil
	}
	return e.failure(err)
}

// failure tells why e was not done.
func (e *importEntry) failure(err error) *bulkError {
	r, ok := err.(*refusal)
	if !ok {
		panic(err) // every error of an entry is a refusal
	}
	f := &bulkError{DeviceID: e.ID, ErrorCode: r.code.number, ErrorStatus: r.text, Operation: e.ImportMode}
	if e.ModuleID != "" {
		f.ModuleID = &e.ModuleID
	}
	if f.ErrorCode == 0 {
		f.ErrorCode = r.code.status * 1000 // the generic code of the class; the exact one is not known
	}
	return f
}
