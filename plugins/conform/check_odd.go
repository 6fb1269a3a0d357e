package conform

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
)

// odd asks about twins that devices should not make and do: each member that the
// plugin may read is left out, or is another sort of thing.
var odd = &Check{Name: "odd", Doc: "twins that are empty, huge, deep or of other types get an answer or an error of the plugin's own, never a trap", run: func(k *kit) error {
	var problems []string
	for _, s := range k.subjects[:min(len(k.subjects), maxGarbled)] {
		for _, g := range k.garble(s) {
			if len(problems) >= maxProblems {
				break
			}
			said, err := k.ask(g)
			if err != nil {
				return err
			}
			if !sane(said.code) {
				problems = append(problems, fmt.Sprintf("%s of %q: %v [%s]", g.name, s.name, said.doc["error"], said.code))
			}
			g.said = said
			k.oddities = append(k.oddities, g)
		}
	}
	k.conclude(fmt.Sprintf("%d odd twins", len(k.oddities)), problems)
	return nil
}}

// What bounds the number of odd twins.
const (
	maxGarbled = 8  // cases that odd twins are made of
	maxPlaces  = 24 // places of one case
	// maxProblems is when there is no need to ask on: each may be a call that ran
	// until its fuel was used up.
	maxProblems = 50
)

// sane reports whether a plugin may fail with code.
func sane(code plugins.Code) bool { return code == "" || code == plugins.EvalError }

// An oddity is a value that no plugin hopes for, as JSON.
type oddity struct{ name, text string }

// oddities lists what is put in place of each member.
var oddities = []oddity{
	{"null", `null`}, {"true", `true`}, {"zero", `0`}, {"negative", `-0.0`}, {"beyond a float", `1e999`}, {"hardly anything", `-1e-320`},
	{"thirty digits", `123456789012345678901234567890.123`}, {"empty text", `""`}, {"not ASCII", `"\"\\é€😀\u0000\ud83d\ude00"`}, {"an empty list", `[]`},
	{"a list", `[1,"x",null,{"a":[]}]`}, {"an empty object", `{}`}, {"an object", `{"value":1,"":null}`}, {"deep", deepText},
	{"long", longText}, {"huge", `[` + strings.Repeat(longText+`,`, 6) + longText + `]`},
}

// longText is about as long as the hub lets a text be, and seven of them as a
// section of reported properties.
var longText = `"` + strings.Repeat(`x\"{[`, 800) + `"`

// deepText is as deep as a value below a section may be.
var deepText = strings.Repeat(`{"a":[`, 3) + `1` + strings.Repeat(`]}`, 3)

// garble returns the odd twins that are made of a subject.
func (k *kit) garble(s subject) (list []subject) {
	for _, place := range k.places(s.twin) {
		list = append(list, k.replaced(s, place, "without "+strings.Join(place, "."), nil, true))
		for _, o := range oddities {
			v, err := twin.Decode([]byte(o.text))
			if err != nil {
				panic(err) // a text above
			}
			list = append(list, k.replaced(s, place, strings.Join(place, ".")+" is "+o.name, v, false))
		}
	}
	return list
}

// replaced returns s with another value at a place, or none.
func (k *kit) replaced(s subject, place []string, name string, v any, gone bool) subject {
	s.name = name
	s.twin = withValue(s.twin, place, v, gone)
	return s
}

// places lists the leaves of t that the plugin may read, those that it declares
// and t has not among them.
func (k *kit) places(t *twin.Twin) (list [][]string) {
	declared := k.reads()
	for _, section := range []string{"tags", "desired", "reported"} {
		o, _ := t.Section(section)
		for _, leaf := range twin.Leaves(section, o) {
			place := append([]string{section}, leaf.Path...)
			if declared == nil || slices.ContainsFunc(declared, func(read []string) bool { return within(place, read) }) {
				list = append(list, place)
			}
		}
	}
	for _, read := range declared {
		if len(read) > 1 && !slices.ContainsFunc(list, func(place []string) bool { return within(place, read) }) {
			list = append(list, read)
		}
	}
	return list[:min(len(list), maxPlaces)]
}

// reads lists the paths that the manifest declares, nil for the whole twin.
func (k *kit) reads() (list [][]string) {
	m := k.module.Report().Manifest
	if m == nil || m.Reads == nil {
		return nil
	}
	list = [][]string{}
	for _, path := range m.Reads {
		list = append(list, strings.Split(path, "."))
	}
	return list
}

// within reports whether place is at or below path.
func within(place, path []string) bool {
	return len(path) <= len(place) && slices.Equal(path, place[:len(path)])
}
