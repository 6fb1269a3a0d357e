package plugins

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins/abi"
)

// A view writes the parts of a twin that a plugin has declared to read, as an
// abi.Input. Paths through something that is no object are left out.
type view struct {
	paths []string // as declared; nil for everything
	timed bool     // the time is a part of it
	roots []*part
}

// A part is one key of a view.
type part struct {
	key   string
	text  []byte // the key as JSON, with its colon
	whole bool   // everything below is wanted
	parts []*part
}

func newView(paths []string) *view {
	v := &view{paths: paths, timed: paths == nil || slices.Contains(paths, abi.Now)}
	if paths == nil {
		paths = abi.Roots[:]
	}
	root := &part{}
	for _, path := range paths {
		if path == abi.Now {
			continue
		}
		p := root
		for key := range strings.SplitSeq(path, ".") {
			p = p.child(key)
		}
		p.whole = true
	}
	v.roots = root.parts
	return v
}

func (p *part) child(key string) *part {
	for _, c := range p.parts {
		if c.key == key {
			return c
		}
	}
	c := &part{key: key, text: append(twin.Encode(key), ':')}
	p.parts = append(p.parts, c)
	return c
}

// append writes what is to be seen of t at now.
func (v *view) append(b []byte, t *twin.Twin, now time.Time) []byte {
	b = append(b, '{')
	if v.timed {
		b = append(b, `"now":`...)
		b = append(strconv.AppendInt(b, now.UnixMilli(), 10), ',')
	}
	b = append(b, `"twin":{`...)
	for i, root := range v.roots {
		if i > 0 {
			b = append(b, ',')
		}
		b = root.append(append(b, root.text...), member(t, root.key))
	}
	return append(b, '}', '}')
}

// member returns what a twin has under one of abi.Roots.
func member(t *twin.Twin, root string) any {
	switch root {
	case "id":
		return t.Ref.Device
	case "moduleId":
		return t.Ref.Module
	case "status":
		return t.Status
	case "connectionState":
		return t.ConnectionState
	case "lastActivityTime":
		return t.LastActivityTime
	case "modelId":
		return t.ModelID
	case "edge":
		return t.Edge
	}
	section, _ := t.Section(root)
	return section
}

// moment returns the time that the plugin sees when it is now: one that has not
// declared to read it sees what it saw in init.
func (v *view) moment(now time.Time) time.Time {
	if v.timed {
		return now
	}
	return time.Unix(0, 0)
}

// append writes what p wants of value, which is an object unless p is whole.
func (p *part) append(b []byte, value any) []byte {
	if p.whole {
		return appendValue(b, value)
	}
	object, _ := value.(twin.Object)
	b = append(b, '{')
	first := true
	for _, c := range p.parts {
		child, ok := object[c.key]
		if _, inside := child.(twin.Object); !ok || !c.whole && !inside {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = c.append(append(b, c.text...), child)
	}
	return append(b, '}')
}

// appendValue is twin.Encode without its cost for the values that most paths
// lead to.
func appendValue(b []byte, value any) []byte {
	switch v := value.(type) {
	case json.Number:
		return append(b, v...)
	case bool:
		return strconv.AppendBool(b, v)
	case string:
		if plain(v) {
			return append(append(append(b, '"'), v...), '"')
		}
	}
	return append(b, twin.Encode(value)...)
}

// plain reports whether s stands in JSON as it is.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
