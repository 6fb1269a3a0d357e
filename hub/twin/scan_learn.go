package twin

// A Learner is a [Scanner] that remembers in which order the members of objects
// came and how their keys were spelled. The twins of a fleet are of a few kinds,
// so that the next key is mostly one that came there before: it is compared, and
// neither read nor looked up. That takes two thirds of the time (see BenchmarkScan).
// What a Learner finds and refuses does not depend on what it has seen. It is used
// by one goroutine.
type Learner struct {
	scanner *Scanner
	steps   []step  // the first is none
	first   []int32 // of each object that paths lead through, what may come first
	scans   int
	pause   int // it learns from one of so many documents
	learns  bool
}

// Learner returns a learner that has seen nothing.
func (s *Scanner) Learner() *Learner {
	return &Learner{scanner: s, steps: make([]step, 1), first: make([]int32, len(s.nodes)), pause: 1}
}

// How much is learnt. Each object of a document teaches one step at most, so that
// a document like no other costs little. Where there is always something new,
// learning pauses for longer and longer.
const (
	mostSteps    = 1 << 13 // then all is forgotten
	mostNext     = 16      // that come after the same members
	longestPause = 64
)

// Scan is [Scanner.Scan].
func (l *Learner) Scan(data []byte, spans []Span) (end int, err error) {
	if len(l.steps) >= mostSteps {
		clear(l.first)
		l.steps, l.pause = l.steps[:1], min(2*l.pause, longestPause)
	}
	l.scans++
	l.learns = l.scans%l.pause == 0
	p := pass{data: data, spans: spans, learner: l}
	return p.scan(l.scanner.nodes[0])
}

// A lesson is where something may be learnt of an object.
type lesson struct {
	over  bool  // something was
	after int32 // the step that came last
	or    int32 // the last of those that might have come next
	tried int   // how many those are
}

// learn adds the member of n whose key stands from k to end, with its quotes and a
// colon, behind the last that was known.
func (p *pass) learn(n *pathNode, m *members, c *pathChild, k, end int) {
	l := p.learner
	if l == nil || m.over {
		return
	}
	if m.over = true; !l.learns || m.tried == mostNext || end-k > longestStep {
		return
	}
	s := newStep(p.data[k:end], c)
	s.seen = m.seen
	*l.link(n, &m.lesson) = int32(len(l.steps))
	l.steps = append(l.steps, s)
}

// link returns what names the step that is learnt next.
func (l *Learner) link(n *pathNode, m *lesson) *int32 {
	switch {
	case m.or > 0:
		return &l.steps[m.or].or
	case m.after > 0:
		return &l.steps[m.after].then
	}
	return &l.first[n.number]
}
