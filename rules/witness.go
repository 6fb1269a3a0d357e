package rules

import (
	"slices"
	"strings"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// witnessed returns the moment at which twins that prove something are looked at.
func witnessed() Moment {
	return Moment{Now: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC), Hub: "example.azure-devices.net"}
}

// A witness is a twin that is made up to show something.
type witness struct {
	short twin.Object // as a test of a rule would spell it
	twin  *twin.Twin
}

// String returns the twin as a test of a rule would spell it.
func (w *witness) String() string { return strings.TrimSpace(string(twin.Encode(w.short))) }

// witness makes up a twin that meets the demands of c on paths, as far as it can
// be guessed; nil where that needs a value which cannot be made up. Whoever asks
// tries it out.
func (c *clause) witness(on Target, at Moment) *witness {
	short := twin.Object{}
	for _, functions := range []bool{false, true} { // what stands at a path has to suit them, too
		for _, name := range c.order {
			k := c.terms[name]
			if len(k.path) == 0 || (k.of != "") != functions {
				continue
			}
			v, ok := k.example()
			path := k.path
			if span, is := v.(time.Duration); is {
				path = slices.Concat(path[:1], Path{"$metadata"}, path[1:], Path{"$lastUpdated"})
				v = at.Now.Add(-span).Format(time.RFC3339Nano)
			}
			if !ok || v != nil && !place(short, path, v) {
				return nil
			}
		}
	}
	return made(short, on)
}

// place sets v at a path, and reports whether there is room. An object stays as
// it is.
func place(doc twin.Object, path Path, v any) bool {
	for _, key := range path[:len(path)-1] {
		below, object := doc[key].(twin.Object)
		if !object {
			if doc[key] != nil {
				return false
			}
			below = twin.Object{}
			doc[key] = below
		}
		doc = below
	}
	last := path[len(path)-1]
	_, object := v.(twin.Object)
	if _, is := doc[last].(twin.Object); is {
		return object
	}
	doc[last] = v
	return true
}

// example returns a value of the region as a twin would spell it, nil for missing.
// Of a function of a path it is what has to stand at the path.
func (k *known) example() (v any, ok bool) {
	r := k.region
	switch {
	case k.of == "semver" || k.of == "age":
		sort := map[string]int{"semver": versions, "age": durations}[k.of]
		if r.missing {
			return nil, true
		}
		v, ok := r.ordered[sort].example(sort)
		if version, is := v.(version); is {
			return strings.TrimPrefix(string(version), "v"), ok
		}
		return v, ok
	case r.missing:
		return nil, true
	}
	for _, sort := range []int{texts, numbers} {
		if v, ok := r.ordered[sort].example(sort); ok {
			j, err := fromExpr(v)
			return j, err == nil
		}
	}
	switch {
	case r.yes, r.no:
		return r.yes, true
	case r.object:
		return twin.Object{}, true
	}
	return nil, false
}

// example returns a value of the span.
func (s span) example(sort int) (any, bool) {
	for _, v := range s.candidates(sort) {
		if v != nil && s.contains(v) {
			return v, true
		}
	}
	return nil, false
}

// candidates lists values of which one lies in the span, unless it is odd.
func (s span) candidates(sort int) []any {
	if !s.all {
		return s.only
	}
	list := map[int][]any{
		numbers: {0, 1, 2, 3, -1}, texts: {"x", "y", "z", "xx", "", "a"},
		durations: {time.Hour, time.Minute, 2 * time.Hour}, versions: {version("v1.0.0"), version("v2.0.0"), version("v0.0.1")},
	}[sort]
	for _, e := range []*edge{s.low, s.high} {
		if e != nil {
			list = append(slices.Clone(list), neighbours(e.value)...)
		}
	}
	if s.low != nil && s.high != nil {
		if a, ok := asFloat(s.low.value); ok {
			b, _ := asFloat(s.high.value)
			list = append(list, wholeOrFloat((a+b)/2), wholeOrFloat(a+(b-a)/4))
		}
	}
	return list
}

// neighbours lists values near v.
func neighbours(v any) []any {
	switch v := v.(type) {
	case int:
		return []any{v, v + 1, v - 1}
	case float64:
		return []any{v, wholeOrFloat(v + 1), wholeOrFloat(v - 1)}
	case string:
		return []any{v, v + "x", v + " "}
	case time.Duration:
		return []any{v, v + time.Second, v - time.Second}
	case version:
		plain, _, _ := strings.Cut(string(v), "-")
		parts := strings.SplitN(plain, ".", 3)
		return []any{v, version(plain), version(plain + "-0"), version(parts[0] + "." + parts[1] + ".9999"), version("v9999.0.0"), version("v0.0.0-0")}
	}
	return nil
}

// made makes a twin of its short form; nil where a twin has no such part.
func made(short twin.Object, on Target) *witness {
	doc := twin.Object{"deviceId": "example", "status": "enabled", "connectionState": "Connected"}
	if !on.Devices() {
		doc["moduleId"] = strings.ReplaceAll(on.Module, "*", "example")
	}
	properties := twin.Object{}
	for key, v := range short {
		switch key {
		case "id":
			doc["deviceId"] = v
		case "tags", "moduleId", "status", "connectionState", "lastActivityTime", "modelId":
			doc[key] = v
		case "desired", "reported":
			properties[key] = v
		default:
			return nil
		}
	}
	doc["properties"] = properties
	t, err := twin.Parse(twin.Encode(doc))
	if err != nil {
		return nil
	}
	return &witness{short, t}
}

// overlapping returns the kind of twin that both targets cover, and whether there
// is one.
func overlapping(a, b Target) (Target, bool) {
	switch {
	case a == b || b.Module == "*" && !a.Devices():
		return a, true
	case a.Module == "*" && !b.Devices():
		return b, true
	}
	return Target{}, false
}
