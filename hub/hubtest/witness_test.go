package hubtest_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// A witness stands between clients and a hub and holds what they say against
// Microsoft's description of the API.
type witness struct {
	hub interface {
		Do(*http.Request) (*http.Response, error)
	}
	says     *description
	envelope *jsonschema.Schema // of refusals

	mu        sync.Mutex // guards what follows
	running   string     // the case
	exchanges []exchange
	findings  map[finding]int
}

// An exchange is one request and its answer.
type exchange struct {
	during    string // the name of a case
	operation string // "" for a request that is none
	status    int
	code      string // of a refusal
}

func newWitness(t *testing.T, hub interface {
	Do(*http.Request) (*http.Response, error)
}) *witness {
	t.Helper()
	return &witness{hub: hub, says: readDescription(t), envelope: refusalSchema(t), findings: map[finding]int{}}
}

// begin says which case what follows belongs to.
func (w *witness) begin(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running = name
}

// Do implements policy.Transporter.
func (w *witness) Do(r *http.Request) (*http.Response, error) { return w.pass(r, true) }

// pass sends a request. Of those that no client of ours sends, only the answer is
// held against the description.
func (w *witness) pass(r *http.Request, ours bool) (*http.Response, error) {
	sent, err := drain(&r.Body)
	if err != nil {
		return nil, err
	}
	answer, err := w.hub.Do(r)
	if err != nil {
		return nil, err
	}
	got, err := drain(&answer.Body)
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	w.note(r, sent, answer, got, ours)
	return answer, nil
}

// drain reads a body and puts it back.
func drain(body *io.ReadCloser) ([]byte, error) {
	if *body == nil || *body == http.NoBody {
		return nil, nil
	}
	data, err := io.ReadAll(*body)
	if err != nil {
		return nil, err
	}
	*body = io.NopCloser(bytes.NewReader(data))
	return data, nil
}

func (w *witness) note(r *http.Request, sent []byte, answer *http.Response, got []byte, ours bool) {
	e := exchange{status: answer.StatusCode, code: answer.Header.Get("iothub-errorcode")}
	var found []finding
	if op := w.says.find(r.Method, r.URL); op != nil {
		e.operation = op.ID
		if ours {
			found = w.request(op, r, sent)
		}
		found = append(found, w.answer(op, answer, got)...)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	e.during = w.running
	w.exchanges = append(w.exchanges, e)
	for _, f := range found {
		w.findings[f]++
	}
}

func (w *witness) request(op *described, r *http.Request, sent []byte) (list []finding) {
	for name := range r.URL.Query() {
		if !op.takes("query", name) {
			list = append(list, finding{op.ID, "request parameter " + name, "not described"})
		}
	}
	for name := range r.Header {
		if ofTheService := name == "If-Match" || strings.HasPrefix(name, "X-Ms-") && name != "X-Ms-Client-Request-Id"; ofTheService && !op.takes("header", name) {
			list = append(list, finding{op.ID, "request header " + name, "not described"})
		}
	}
	switch schema := op.body(); {
	case schema == "" && len(sent) > 0:
		list = append(list, finding{op.ID, "request body", "not described"})
	case schema != "" && len(sent) == 0:
		list = append(list, finding{op.ID, "request body", "none"})
	case schema != "":
		list = append(list, w.says.check(op, "request", schema, sent)...)
	}
	return list
}

func (w *witness) answer(op *described, a *http.Response, got []byte) []finding {
	status := strconv.Itoa(a.StatusCode)
	response, described := op.Responses[status]
	switch {
	case !described && a.StatusCode >= 400:
		return w.refusal(op, a, got)
	case !described:
		return []finding{{op.ID, "answer status", status}}
	case a.StatusCode == 400 && a.Header.Get("iothub-errorcode") != "":
		return w.refusal(op, a, got) // of the whole, instead of items
	}
	list := op.checkHeaders(status, a.Header)
	switch kind := a.Header.Get("x-ms-item-type"); {
	case op.ID == "Query_GetTwins" && kind != "Twin":
		return append(list, finding{op.ID, "answer body", "rows of " + kind})
	case response.Schema != nil:
		return append(list, w.says.check(op, "answer", op.pointer("responses", status, "schema"), got)...)
	case len(got) > 0:
		return append(list, finding{op.ID, "answer body", "not described"})
	}
	return list
}

// refusal holds an error against what was recorded of errors: the description
// knows none.
func (w *witness) refusal(op *described, a *http.Response, got []byte) []finding {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(got))
	if err != nil || w.envelope.Validate(v) != nil {
		return []finding{{op.ID, "refusal body", "no envelope of the hub: " + string(got)}}
	}
	if a.Header.Get("iothub-errorcode") == "" {
		return []finding{{op.ID, "refusal header iothub-errorcode", "none"}}
	}
	return nil
}

// refusalSchema describes the two envelopes that were recorded, of which the
// second may stand in the first.
func refusalSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(`{"oneOf": [
		{"type": "object", "additionalProperties": false, "required": ["Message", "ExceptionMessage"], "properties": {
			"Message": {"type": "string", "pattern": "^(ErrorCode:[A-Za-z]+;|\\{\"errorCode\":)"},
			"ExceptionMessage": {"type": "string", "pattern": "^(Tracking ID:[0-9A-Fa-f]+-G:[0-9]+-TimeStamp:[0-9/]{10} [0-9:]{8})?$"}}},
		{"type": "object", "additionalProperties": false, "required": ["errorCode", "message", "trackingId", "timestampUtc", "info"], "properties": {
			"errorCode": {"type": "integer"}, "message": {"type": "string"}, "info": {},
			"trackingId": {"type": "string", "pattern": "^[0-9A-Fa-f]+-G2?:"}, "timestampUtc": {"type": "string", "format": "date-time"}}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("mem:///refusal.json", doc); err != nil {
		t.Fatal(err)
	}
	return c.MustCompile("mem:///refusal.json")
}
