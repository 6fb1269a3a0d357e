package rules

import "github.com/twinrules/twinrules/hub/twin"

// Since is what m remembers in a pass that is under way, which began with the twin
// that was read: what stood at a place then is what a rule found that has come in a
// round since. Where the rule's value stood there already, m is asked, which may
// be nil.
func Since(m Memory, read *twin.Twin) Memory { return since{m, read} }

type since struct {
	Memory
	read *twin.Twin
}

// Before asks the twin that was read first.
func (s since) Before(t *twin.Twin, rule string, place twin.Leaf) (value any, known bool) {
	if place.Holds(s.read) {
		if s.Memory == nil {
			return nil, false
		}
		return s.Memory.Before(t, rule, place)
	}
	section, _ := s.read.Section(place.Section)
	value, _ = section.Lookup(place.Path...)
	return value, true
}
