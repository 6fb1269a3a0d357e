package emulator

import (
	"bytes"
	"encoding/json"
	"iter"
	"strconv"

	"github.com/twinrules/twinrules/hub/query"
	"github.com/twinrules/twinrules/hub/twin"
)

var queryRoutes = []route{
	{"POST", "/devices/query", "twins/read", (*hub).query},
}

// defaultPage is how many rows a page has when nobody says.
const defaultPage = 100

// query answers one page of a query. The first page of a query fixes all of its
// rows, so that pages fit together whatever happens to the fleet meanwhile.
func (h *hub) query(c *call) (*answer, error) {
	text, err := readQuery(c.body)
	if err != nil {
		return nil, err
	}
	q, err := query.Parse(text)
	if err != nil {
		return nil, refuse("ArgumentInvalid", "BadRequest")
	}
	if err := h.checkStrict(q, text); err != nil {
		return nil, err
	}
	return h.paged(c, text, func() (*view, error) { return h.look(q), nil })
}

// paged answers the page that c asks for of what text stands for. For the first
// one it calls begin, which makes the view of it.
func (h *hub) paged(c *call, text string, begin func() (*view, error)) (*answer, error) {
	size, err := h.pageOf(c.header("x-ms-max-item-count"))
	if err != nil {
		return nil, err
	}
	if token := c.header("x-ms-continuation"); token != "" {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.views.resume(token, text, size, h.gaps, c.now)
	}
	v, err := begin()
	if err != nil {
		return nil, err
	}
	v.id, v.text = h.dice.uuid(), text
	if h.views.lifetime > 0 {
		v.dead = c.now.Add(h.views.lifetime)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.views.begin(v, size, h.gaps), nil
}

// readQuery takes the text of a query from a body. What is wrong with a query
// the hub does not say.
func readQuery(body []byte) (string, error) {
	o, err := twin.DecodeObject(body)
	if err != nil {
		return "", refuse("IotHubFormatError", "%v", err)
	}
	text, _ := o["query"].(string)
	if text == "" {
		return "", refuse("ArgumentNull", "BadRequest")
	}
	return text, nil
}

// pageOf returns how many rows a page may have at a client's wish.
func (h *hub) pageOf(header string) (int, error) {
	if header == "" {
		return min(defaultPage, h.pageSize), nil
	}
	n, err := strconv.Atoi(header)
	if err != nil || n < 1 {
		return 0, refuse("ArgumentInvalid", "BadRequest")
	}
	return min(n, h.pageSize), nil
}

// look runs a query over the index of this moment.
func (h *hub) look(q *query.Query) *view {
	h.mu.Lock()
	documents := h.index.all()
	if q.Collection() == "devices.jobs" {
		defer h.mu.Unlock()
		return &view{kind: "DeviceJob", rows: h.taskRows(q)}
	}
	h.mu.Unlock()
	v := &view{kind: "Twin", rows: q.Rows(twinsOf(documents))}
	if q.Raw() {
		v.kind = "Raw"
	}
	return v
}

// twinsOf parses documents one after the other.
func twinsOf(documents []*document) iter.Seq[*twin.Twin] {
	return func(yield func(*twin.Twin) bool) {
		for _, d := range documents {
			if !yield(d.parse()) {
				return
			}
		}
	}
}

// arrayOf writes rows as a JSON array.
func arrayOf(rows []json.RawMessage) []byte {
	var b bytes.Buffer
	b.WriteByte('[')
	for i, row := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(row)
	}
	b.WriteByte(']')
	return b.Bytes()
}
