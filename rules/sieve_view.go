package rules

import (
	"slices"
	"strings"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// A pathSet gives each path in a twin's JSON that a sieve reads a span. It does
// not change any more when the sieve is made.
type pathSet struct {
	list   [][]string
	index  map[string]int // of a path
	bySlot map[string]int // of a slot, by its key
}

func newPathSet() *pathSet {
	p := &pathSet{index: map[string]int{}, bySlot: map[string]int{}}
	for _, section := range sectionNames {
		p.add(sectionPath(section)) // the first spans, see [view.sections]
	}
	for _, f := range identity {
		p.add(f.path) // the next, see [view.scope]
	}
	return p
}

// add returns the span of a path.
func (p *pathSet) add(path []string) int {
	key := strings.Join(path, "\x00")
	i, ok := p.index[key]
	if !ok {
		i = len(p.list)
		p.index[key], p.list = i, append(p.list, path)
	}
	return i
}

// identity are the names that stand in members of a twin's own, and how a twin
// takes them over from their JSON.
var identity = []struct {
	name string
	path []string
	set  func(t *twin.Twin, v any) (ok bool)
}{
	{"id", []string{"deviceId"}, func(t *twin.Twin, v any) bool { return setText(&t.Ref.Device, v) }},
	{"moduleId", []string{"moduleId"}, func(t *twin.Twin, v any) bool { return setText(&t.Ref.Module, v) }},
	{"status", []string{"status"}, func(t *twin.Twin, v any) bool { return setText(&t.Status, v) }},
	{"connectionState", []string{"connectionState"}, func(t *twin.Twin, v any) bool { return setText(&t.ConnectionState, v) }},
	{"lastActivityTime", []string{"lastActivityTime"}, func(t *twin.Twin, v any) bool { return setText(&t.LastActivityTime, v) }},
	{"modelId", []string{"modelId"}, func(t *twin.Twin, v any) bool { return setText(&t.ModelID, v) }},
	{"edge", []string{"capabilities", "iotEdge"}, func(t *twin.Twin, v any) bool { t.Edge = v == true; return true }},
	{"parent", []string{"deviceScope"}, func(t *twin.Twin, v any) bool { return setText(&t.DeviceScope, v) }},
	{"parent", []string{"parentScopes"}, setParent},
}

// setParent takes the first scope over.
func setParent(t *twin.Twin, v any) (ok bool) {
	list, _ := v.([]any)
	for _, scope := range list {
		if text, isText := scope.(string); isText && t.ParentScope == "" {
			t.ParentScope = text
		}
	}
	return true
}

// needs are the names whose meaning depends on others, too.
var needs = map[string][]string{"parent": {"edge", "moduleId"}}

// setText takes a string over; a null is the empty one.
func setText(to *string, v any) (ok bool) {
	text, isText := v.(string)
	*to = text
	return isText || v == nil
}

var (
	sectionNames  = []string{"tags", "desired", "reported"}
	constantNames = []string{"vars", "hub", "now"} // the same for every twin
)

// placesOf returns where in a twin's JSON it stands what a slot means: nowhere for
// what is the same for every twin. Where to find a plugin's facts is not known.
func placesOf(s slot) (paths [][]string, known bool) {
	switch name := s.root.Name; {
	case slices.Contains(constantNames, name):
		return nil, true
	case !slices.Contains(sectionNames, name):
		return identityPaths(name)
	case s.kind == slotValue:
		return [][]string{append(sectionPath(name), s.path...)}, true
	default:
		path := append(append(sectionPath(name), "$metadata"), s.path...)
		return [][]string{append(path, "$lastUpdated")}, true
	}
}

func identityPaths(name string) (paths [][]string, known bool) {
	for _, f := range identity {
		if f.name == name || slices.Contains(needs[name], f.name) {
			paths, known = append(paths, f.path), known || f.name == name
		}
	}
	return paths, known
}

// know reports whether all slots can be found.
func (p *pathSet) know(slots []slot) bool {
	return !slices.ContainsFunc(slots, func(s slot) bool { _, known := placesOf(s); return !known })
}

// of returns the spans that an expression reads, in order.
func (p *pathSet) of(e *expression) (spans []int) {
	for _, s := range e.slots {
		paths, _ := placesOf(s)
		for _, path := range paths {
			i := p.add(path)
			p.bySlot[s.key] = i // of a section there is one
			spans = append(spans, i)
		}
	}
	if e.named {
		spans = append(spans, p.add([]string{"deviceId"}), p.add([]string{"moduleId"}))
	}
	slices.Sort(spans)
	return slices.Compact(spans)
}

// A view is a twin as far as a sieve looks at it.
type view struct {
	paths  *pathSet
	now    time.Time
	data   []byte
	spans  []twin.Span
	broken bool // what was looked at cannot be read, or not cheaply
}

func (v *view) reset(data []byte, spans []twin.Span) { v.data, v.spans, v.broken = data, spans, false }

// sections reports whether each section is an object or not there.
func (v *view) sections() bool {
	for _, s := range v.spans[:len(sectionNames)] {
		if text := s.Of(v.data); len(text) > 0 && text[0] != '{' && text[0] != 'n' {
			return false
		}
	}
	return true
}

// value returns what stands at a span.
func (v *view) value(span int) (value any, exists bool) {
	text := v.spans[span].Of(v.data)
	if text == nil {
		return nil, false
	}
	value, err := twin.Decode(text)
	v.broken = v.broken || err != nil
	return value, err == nil
}

// raw is [slot.raw] for a slot in a section.
func (v *view) raw(s slot) (any, bool) {
	value, exists := v.value(v.paths.bySlot[s.key])
	if len(s.path) > 0 {
		return value, exists
	}
	o, _ := value.(twin.Object)
	if o == nil {
		o = twin.Object{} // as a twin without the section has it
	}
	return withoutHubKeys(o, o), true
}

// updated is [twin.Twin.Updated] for a slot of that kind.
func (v *view) updated(s slot) (time.Time, bool) {
	value, _ := v.value(v.paths.bySlot[s.key])
	text, _ := value.(string)
	at, err := twin.ParseTime(text)
	return at, err == nil
}

// identityIn returns which of the identity's members are among spans.
func identityIn(spans []int) (members []int) {
	for i := range identity {
		if slices.Contains(spans, len(sectionNames)+i) {
			members = append(members, i)
		}
	}
	return members
}

// identify makes t the twin, as far as these members of its own go.
func (v *view) identify(t *twin.Twin, members []int) {
	*t = twin.Twin{}
	for _, i := range members {
		value, _ := v.value(len(sectionNames) + i)
		v.broken = v.broken || !identity[i].set(t, value)
	}
}
