package rules

import (
	"encoding/binary"
	"math/bits"
	"strconv"

	"github.com/twinrules/twinrules/hub/twin"
)

// An Unmet is a leaf that rules want of a twin and that is not there.
type Unmet struct {
	Leaf  twin.Leaf
	Text  []byte   // the JSON of what stands there, good until the next call; nil for nothing
	Rules []string // that want it, in the order of the pack; not to be changed
}

// Before returns what stands there, nil for nothing.
func (u *Unmet) Before() any {
	if u.Text == nil {
		return nil
	}
	v, err := twin.Decode(u.Text)
	if err != nil {
		panic(err) // it was looked at
	}
	return v
}

// Unmet returns what rules want changed of the twin that was sifted last, in the
// order of places, where that follows from what the sieve knows: of rules that
// write constants, agree with each other, do not leave the twin and have not to
// look again at what was written, and with a result that the hub takes for
// certain. What rules of mode audit want comes apart, unless together says that
// all rules only report: then there is only that. The lists are good until the
// next call. The twin is counted, and chosen says whether some rule selects it.
// Where ok is false nothing was counted, and [Sifter.Eval] is to be asked.
//
// This spares nine tenths of the work on a twin that changes: see
// BenchmarkUnmet.
func (f *Sifter) Unmet(together bool) (enforced, audited []Unmet, chosen, ok bool) {
	if !f.decided || f.rereads || f.intricate() {
		return nil, nil, false, false
	}
	f.unmet[0], f.unmet[1] = f.unmet[0][:0], f.unmet[1][:0]
	clear(f.touched)
	var size [2]int // by section
	for _, a := range f.assertions {
		if f.intersect(a.by) && !f.asserted(a, together, &size) {
			return nil, nil, false, false
		}
	}
	if !f.roomy(size) {
		return nil, nil, false, false
	}
	for w, word := range f.touched {
		tick(f.changed, w, word)
	}
	return f.unmet[0], f.unmet[1], f.count(), true
}

// changes are what a [Sifter] needs to tell what is to be changed.
type changes struct {
	unmet    [2][]Unmet // of rules that write, of rules that report
	matching row        // the rules that match
	wanting  row        // those of them that want a leaf
	named    row        // those of them in one list
	touched  row        // those that change something
	names    nameLists
}

func (s *Sieve) changes() changes {
	return changes{matching: make(row, s.words), wanting: make(row, s.words), named: make(row, s.words), touched: make(row, s.words)}
}

// intricate notes which rules match, and reports whether there is one that cannot
// be judged by what is known.
func (f *Sifter) intricate() bool {
	for w := range f.words {
		chosen, unknown := f.plane(selected, w)
		matches, _, open := f.passage(w)
		if unknown|chosen&(open|f.asked[w]|matches&(f.watched[w]|f.computed[w])) != 0 {
			return true
		}
		f.matching[w] = chosen & matches
	}
	return false
}

// intersect notes in wanting which rules of a row match.
func (f *Sifter) intersect(by row) bool {
	var some uint64
	for w := range f.wanting {
		f.wanting[w] = by[w] & f.matching[w]
		some |= f.wanting[w]
	}
	return some != 0
}

// asserted adds to the lists what the rules in wanting assert if it does not hold,
// and reports whether that is all there is to say of its place.
func (f *Sifter) asserted(a *assertion, together bool, size *[2]int) bool {
	for w := range f.matching {
		if a.against[w]&f.matching[w] != 0 {
			return false
		}
	}
	if f.live[a.holds/64]&(1<<(a.holds%64)) != 0 {
		return true
	}
	for _, parent := range a.parents {
		if text := f.spans[parent].Of(f.view.data); text != nil && text[0] != '{' {
			return false // the whole of it is one place
		}
	}
	text, ok := f.standing(a.place)
	if !ok || text == nil && a.leaf.Value == nil {
		return ok
	}
	if a.leaf.Section == "tags" {
		size[0] += a.size
	} else {
		size[1] += a.size
	}
	f.part(Unmet{Leaf: a.leaf, Text: text}, together)
	return true
}

// standing returns the JSON of what stands at a span, nil for nothing, and whether
// it is any.
func (f *Sifter) standing(place int) (text []byte, ok bool) {
	text = f.spans[place].Of(f.view.data)
	switch {
	case text == nil || string(text) == "null":
		return nil, true
	case string(text) == "true" || string(text) == "false":
		return text, true
	case len(text) > 1 && text[0] == '"' && plainASCII(text[1:len(text)-1]):
		return text, true
	}
	_, err := twin.Decode(text)
	return text, err == nil
}

// part adds a leaf that rules in wanting want to the list of those that write and
// to that of those that report.
func (f *Sifter) part(u Unmet, together bool) {
	for list := range f.unmet {
		var some uint64
		for w, word := range f.wanting {
			audit := f.audited[w]
			if together {
				audit = ^uint64(0)
			}
			if list == 0 {
				audit = ^audit
			}
			f.named[w] = word & audit &^ f.hubs[w]
			some |= f.named[w]
			f.touched[w] |= f.named[w]
		}
		if some != 0 {
			u.Rules = f.names.of(f.Sieve, f.named)
			f.unmet[list] = append(f.unmet[list], u)
		}
	}
}

// roomy reports whether the hub certainly takes sections that grow so.
func (f *Sifter) roomy(size [2]int) bool {
	for i, limit := range [2]int{twin.MaxTagsSize, twin.MaxDesiredSize} {
		if f.touches(sectionNames[i]) && !twin.Roomy(f.spans[i].Of(f.view.data), limit, size[i]) {
			return false
		}
	}
	return true
}

func (f *Sifter) touches(section string) bool {
	for _, list := range f.unmet {
		for i := range list {
			if list[i].Leaf.Section == section {
				return true
			}
		}
	}
	return false
}

// A nameLists keeps lists of rules' names, which are few in a fleet, by their
// rows. It is used by one goroutine.
type nameLists struct {
	known map[string][]string
	key   []byte
}

// maxNameLists is how many are kept.
const maxNameLists = 1 << 12

func (n *nameLists) of(s *Sieve, by row) []string {
	n.key = n.key[:0]
	for _, word := range by {
		n.key = binary.LittleEndian.AppendUint64(n.key, word)
	}
	if list, ok := n.known[string(n.key)]; ok {
		return list
	}
	var list []string
	for w, word := range by {
		for ; word != 0; word &= word - 1 {
			list = append(list, s.rules[w*64+bits.TrailingZeros64(word)].ID)
		}
	}
	if n.known == nil {
		n.known = map[string][]string{}
	}
	if len(n.known) < maxNameLists {
		n.known[string(n.key)] = list
	}
	return list
}

// A TwinState is what a write to a twin refers to, as package twin names it.
type TwinState struct {
	ETag, DeviceETag        []byte // good until the next call of [Sifter.Sift]
	Version, DesiredVersion int64
}

// statePaths is where it stands in a twin's JSON.
var statePaths = [...][]string{{"etag"}, {"deviceEtag"}, {"version"}, {"properties", "desired", "$version"}}

// State returns the state of the twin that was sifted last, and whether it is
// plainly spelled.
func (f *Sifter) State() (s TwinState, ok bool) {
	ok = f.found && f.stateText(0, &s.ETag) && f.stateText(1, &s.DeviceETag) && f.stateNumber(2, &s.Version) && f.stateNumber(3, &s.DesiredVersion)
	return s, ok
}

func (f *Sifter) stateText(i int, to *[]byte) (ok bool) {
	text := f.spans[f.state[i]].Of(f.view.data)
	if text == nil {
		return true
	}
	if text[0] != '"' {
		return false
	}
	*to = text[1 : len(text)-1]
	return plainASCII(*to)
}

func (f *Sifter) stateNumber(i int, to *int64) (ok bool) {
	text := f.spans[f.state[i]].Of(f.view.data)
	if text == nil {
		return true
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	*to = n
	return err == nil && n >= 0 && (text[0] != '0' || n == 0)
}
