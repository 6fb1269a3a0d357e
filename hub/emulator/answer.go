package emulator

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// An answer is a whole response, held back until it is known what becomes of
// it: a fault may spoil or drop it.
type answer struct {
	status int
	header http.Header
	body   []byte
	pad    int64 // spaces before the body
	lost   int   // bytes of the announced length that never come
}

func newAnswer(status int, body []byte) *answer {
	a := &answer{status: status, header: http.Header{}, body: body}
	if body != nil {
		// Node's client parses only answers whose type has application/json.
		a.header.Set("Content-Type", "application/json; charset=utf-8")
	}
	return a
}

// reply answers with v as JSON.
func reply(v any) *answer { return newAnswer(http.StatusOK, marshal(v)) }

// marshal encodes v without the HTML escapes of encoding/json. It panics if v
// is not made for JSON, which is a bug of the caller.
func marshal(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// send writes a to w. A failing write means that the client has gone.
func (a *answer) send(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	length := a.pad + int64(len(a.body)+a.lost)
	if a.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.FormatInt(length, 10))
	}
	w.WriteHeader(a.status)
	if _, err := io.CopyN(w, spaces{}, a.pad); err == nil {
		_, _ = w.Write(a.body)
	}
}

// Spaces is an endless reader of spaces, which JSON allows before a value.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	return copy(p, strings.Repeat(" ", len(p))), nil
}
