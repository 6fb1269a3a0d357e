package emulator

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// An answer is a whole response, held back until it is known what becomes of
// it: a fault may spoil or drop it.
type answer struct {
	status int
	header http.Header
	body   []byte
	pad    int64 // spaces before the body
	lost   int   // bytes of the announced length that never come
	speed  int   // bytes in a second at most; 0 for all at once
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

// send writes a to w. A failing write means that the client has gone. It ends
// early when ctx is done.
func (a *answer) send(ctx context.Context, w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	length := a.pad + int64(len(a.body)+a.lost)
	if a.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.FormatInt(length, 10))
	}
	w.WriteHeader(a.status)
	if a.speed > 0 {
		a.drip(ctx, w)
		return
	}
	if _, err := io.CopyN(w, spaces{}, a.pad); err == nil {
		_, _ = w.Write(a.body)
	}
}

// drip writes the body ten times a second, or a byte at a time when even that
// is too fast.
func (a *answer) drip(ctx context.Context, w http.ResponseWriter) {
	rc := http.NewResponseController(w)
	body := io.MultiReader(io.LimitReader(spaces{}, a.pad), bytes.NewReader(a.body))
	chunk := max(1, a.speed/10)
	tick := time.NewTicker(time.Second * time.Duration(chunk) / time.Duration(a.speed))
	defer tick.Stop()
	for {
		_ = rc.SetWriteDeadline(time.Now().Add(writeTimeout)) // of this piece
		if n, err := io.CopyN(w, body, int64(chunk)); n == 0 || err != nil && err != io.EOF || rc.Flush() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Spaces is an endless reader of spaces, which JSON allows before a value.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	return copy(p, strings.Repeat(" ", len(p))), nil
}
