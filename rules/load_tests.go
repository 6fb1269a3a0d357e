package rules

import (
	"io/fs"
	"path"
	"slices"
	"time"
)

// A SnapshotTest runs the whole pack over a recorded fleet and says how far its
// rules reach.
type SnapshotTest struct {
	Name     string
	Pos      Pos
	Snapshot string    // a path in the pack
	Now      time.Time // zero means when the snapshot was taken
	Expect   []Counts  // in the order of the file
}

// Counts are what a [SnapshotTest] expects of one rule; what it does not name may
// be anything.
type Counts struct {
	Rule   string
	Pos    Pos
	Counts []Count // in the order of [CountNames]
}

// A Count is one number that a test expects.
type Count struct {
	Name   string // one of CountNames
	Number int
	Pos    Pos
}

// CountNames lists what a [SnapshotTest] can count of a rule: the twins of its
// population, those of them that its condition holds for, those of these that it
// would change, those that it could not judge, and those that it warns of.
func CountNames() []string { return []string{"selected", "matched", "changed", "failed", "warned"} }

func (l *loader) snapshotTests(s setting) {
	for _, t := range s.list() {
		m := t.shaped(snapshotTestShape)
		test := &SnapshotTest{Name: m.need("name").text(), Pos: t.pos()}
		file := m.need("snapshot")
		test.Snapshot = path.Clean(file.text())
		if file.exists() && !fs.ValidPath(test.Snapshot) {
			file.report(BadTest, "", "%q is not a path inside the pack", test.Snapshot)
		}
		test.Now = readNow(m.get("now"))
		l.counts(test, m.need("expect").mapping())
		m.done()
		if slices.ContainsFunc(l.pack.Tests, func(other *SnapshotTest) bool { return other.Name == test.Name }) {
			t.report(DuplicateID, "", "a second test with the name %q", test.Name)
		}
		l.pack.Tests = append(l.pack.Tests, test)
	}
}

// counts reads what a test expects of each rule; whether there are such rules is
// known in the end.
func (l *loader) counts(test *SnapshotTest, m *mapping) {
	for _, key := range m.keys {
		counts := Counts{Rule: key.node.Value, Pos: key.pos()}
		of := m.get(key.node.Value).shaped(countsShape)
		for _, name := range CountNames() {
			if v := of.get(name); v.exists() {
				n, _ := v.whole(0, largestFleet)
				counts.Counts = append(counts.Counts, Count{name, n, v.pos()})
			}
		}
		of.done()
		test.Expect = append(test.Expect, counts)
		l.counted = append(l.counted, key)
	}
}

// checkCounted reports tests that count what no rule does.
func (l *loader) checkCounted() {
	var known []string
	for _, r := range l.pack.Rules {
		known = append(known, r.ID)
	}
	for _, key := range l.counted {
		if !slices.Contains(known, key.node.Value) {
			key.report(BadTest, didYouMean(key.node.Value, known), "the pack has no rule %q", key.node.Value)
		}
	}
}

func readNow(s setting) time.Time {
	if !s.exists() {
		return time.Time{}
	}
	now, err := time.Parse(time.RFC3339, s.text())
	if err != nil {
		s.report(WrongValue, "", "not a time such as 2026-11-21T06:00:00Z")
	}
	return now
}
