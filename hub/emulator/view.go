package emulator

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A view is the rows that a query had when its first page was asked for.
type view struct {
	id   string
	text string // the query, which every page must ask again
	kind string // the x-ms-item-type, whose case clients mind
	rows []json.RawMessage
	dead time.Time // when its tokens are refused; zero for never
}

// keptViews is how many queries can be read page by page at once. The oldest is
// forgotten when there are more, and its tokens are refused.
const keptViews = 64

// Views are the queries that are being read, oldest first.
type views struct {
	list     []*view
	lifetime time.Duration // of tokens; 0 for no end
}

// begin answers with the first page of v.
func (vs *views) begin(v *view, size int, gaps bool) *answer {
	a, more := v.page(place{id: v.id}, size, gaps)
	if !more {
		return a
	}
	if vs.list = append(vs.list, v); len(vs.list) > keptViews {
		vs.list = vs.list[1:]
	}
	return a
}

// resume answers with the page that a token stands for, which is the same page
// each time. A token belongs to its query and to this emulator, and may have an
// end.
func (vs *views) resume(token, text string, size int, gaps bool, now time.Time) (*answer, error) {
	at, ok := readPlace(token)
	for _, v := range vs.list {
		alive := v.dead.IsZero() || now.Before(v.dead)
		if ok && alive && v.id == at.id && v.text == text && at.row <= len(v.rows) {
			a, _ := v.page(at, size, gaps)
			return a, nil
		}
	}
	return nil, refuse("ArgumentInvalid", "BadRequest")
}

// page returns the rows at a place, and whether others follow. With gaps an
// empty page follows each, as the protocol allows.
func (v *view) page(at place, size int, gaps bool) (a *answer, more bool) {
	end := min(at.row+size, len(v.rows))
	if at.gap {
		end = at.row
	}
	a = newAnswer(200, arrayOf(v.rows[at.row:end]))
	a.header["x-ms-item-type"] = []string{v.kind}
	next := place{id: v.id, row: end, gap: gaps && !at.gap}
	if more = end < len(v.rows) || next.gap; more {
		a.header["x-ms-continuation"] = []string{next.token()}
	}
	return a, more
}

// A place is where in a view a page begins.
type place struct {
	id  string
	row int
	gap bool // an empty page
}

func (p place) token() string {
	return base64.URLEncoding.EncodeToString(fmt.Appendf(nil, "%s %d %t", p.id, p.row, p.gap))
}

func readPlace(token string) (p place, ok bool) {
	text, err := base64.URLEncoding.DecodeString(token)
	parts := strings.Split(string(text), " ")
	if err != nil || len(parts) != 3 {
		return p, false
	}
	p.id = parts[0]
	p.row, err = strconv.Atoi(parts[1])
	p.gap = parts[2] == "true"
	return p, err == nil && p.row >= 0
}
