package rules

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
)

// fingers are what a [Sifter.Fingerprint] is made of.
type fingers struct {
	texts  []int // spans whose text is in it
	shapes []int // spans of which only is in it what begins there: an object, something else, nothing
	whole  bool  // all of the twin is
}

// Fingerprint returns a digest of all that decides what rules say of the twin that
// was sifted last, beside the moment: its name, and what stands at the paths that
// they read and write, told apart from what is not there. When it last spoke to
// the hub, its metadata and what it reports beside that are in it only as far as a
// rule names them, so that of most twins that changed it stays. Two twins with
// one fingerprint get the same verdicts of [Program.Eval], and as long as it is
// earlier than [Sifter.Wake] also later. ok is false where the twin cannot be
// sifted.
//
// A plugin that declares no reads, and configurations of others that write what
// rules write, may look at anything; then it is a digest of all of the twin. What
// is the same for all twins is not in it: fingerprints are comparable for one
// pack, with its plugins, and one set of configurations on one hub only.
//
// Half of it is enough to look a twin up: that one which changed is found among a
// million others happens once in 10^13 times. It costs less than a tenth
// of what [Sifter.Sift] does (see BenchmarkFingerprint).
func (f *Sifter) Fingerprint() (print twin.Digest, ok bool) {
	if !f.found {
		return print, false
	}
	if f.whole {
		return twin.DigestOf(f.view.data), true
	}
	b := f.print[:0]
	for _, i := range f.texts {
		text := f.spans[i].Of(f.view.data) // which is empty only where nothing is
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	for _, i := range f.shapes {
		b = append(b, shape(f.spans[i].Of(f.view.data)))
	}
	f.print = b
	return twin.DigestOf(b), true
}

// volatile are the members of a twin's own that change whenever its device
// speaks.
var volatile = []string{"connectionState", "lastActivityTime"}

// Volatile lists the members of a twin's JSON that change whenever its device speaks
// and that no rule looks at. Where they are texts, rules say the same of the twin
// whatever they are.
func (s *Sieve) Volatile() (list []string) {
	for _, name := range volatile {
		i, looked := s.paths.index[name]
		if !s.whole && !(looked && slices.Contains(s.texts, i)) {
			list = append(list, name)
		}
	}
	return list
}

// shape returns the byte that a value begins with, 0 for none.
func shape(text []byte) byte {
	if text == nil {
		return 0
	}
	return text[0]
}

// finger gathers the spans of everything that rules look at.
func (b *sieveBuilder) finger() {
	b.texts = append(b.texts, b.paths.add([]string{"deviceId"}), b.paths.add([]string{"moduleId"}))
	for a := range b.terms {
		b.texts = append(b.texts, a.spans...)
	}
	for i, r := range b.rules {
		if b.asked[i/64]&(1<<(i%64)) != 0 {
			b.fingerRule(r)
		}
		if r.Rollout != nil && r.Rollout.By != nil {
			root, _ := findName(r.Rollout.By[0])
			b.fingerSlot(slot{root: root, path: r.Rollout.By[1:]})
		}
	}
	slices.Sort(b.texts)
	b.texts = slices.Compact(b.texts)
	slices.Sort(b.shapes)
	b.shapes = slices.Compact(b.shapes)
}

// fingerRule adds what a rule reads and writes that the sieve does not look into.
func (b *sieveBuilder) fingerRule(r *compiledRule) {
	for _, s := range r.reads() {
		b.fingerSlot(s) // but not what a plugin found, which is told by what it reads
	}
	for _, l := range r.writes() {
		b.texts = append(b.texts, b.paths.add(append(sectionPath(l.Section), l.Path...)))
	}
	looks := r.shown()
	b.whole = b.whole || looks.whole
	for _, path := range looks.paths {
		b.fingerRead(path)
	}
}

func (b *sieveBuilder) fingerSlot(s slot) {
	paths, _ := placesOf(s)
	for _, path := range paths {
		b.texts = append(b.texts, b.paths.add(path))
	}
}

// fingerRead adds a path that a plugin has declared to read. It is shown the
// objects on the way, also where they do not lead there.
func (b *sieveBuilder) fingerRead(path string) {
	keys := strings.Split(path, ".")
	if !slices.Contains(sectionNames, keys[0]) {
		places, known := identityPaths(keys[0])
		b.whole = b.whole || !known
		for _, place := range places {
			b.texts = append(b.texts, b.paths.add(place))
		}
		return
	}
	place := sectionPath(keys[0])
	for _, key := range keys[1:] {
		b.shapes = append(b.shapes, b.paths.add(place))
		place = append(place[:len(place):len(place)], key)
	}
	b.texts = append(b.texts, b.paths.add(place))
}
