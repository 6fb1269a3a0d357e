package rules

import (
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
)

// A graph says which rules look at what which rules write. Between the rules stand
// the places that are looked at, so that it stays small where many rules share one.
type graph struct {
	rules int     // the first nodes; the others are places
	next  [][]int // what each node leads to
}

// newGraph links rules by what they write and by what looks returns of each.
func newGraph(list []*compiledRule, looks func(*compiledRule) []twin.Leaf) *graph {
	g := &graph{rules: len(list), next: make([][]int, len(list))}
	roots := map[string]*spot{}
	for i, r := range list {
		for _, l := range looks(r) {
			g.read(roots, l, i)
		}
	}
	for i, r := range list {
		for _, l := range r.writes() {
			g.write(roots, l, i)
		}
	}
	return g
}

// A spot is a place that is looked at, or one above such a place. Its node above
// leads to who looks at it or at a place above it, below to who looks at it or at a
// place below it.
type spot struct {
	above, below int
	keys         map[string]*spot
}

// step returns the spot below s, made when it is not there yet. Above all are the
// sections.
func (g *graph) step(keys map[string]*spot, s *spot, key string) *spot {
	if next := keys[key]; next != nil {
		return next
	}
	next := &spot{len(g.next), len(g.next) + 1, map[string]*spot{}}
	g.next = append(g.next, nil, nil)
	if s != nil {
		g.next[next.above] = append(g.next[next.above], s.above)
		g.next[s.below] = append(g.next[s.below], next.below)
	}
	keys[key] = next
	return next
}

// read notes that rule i looks at l.
func (g *graph) read(roots map[string]*spot, l twin.Leaf, i int) {
	s := g.step(roots, nil, l.Section)
	for _, key := range l.Path {
		s = g.step(s.keys, s, key)
	}
	g.next[s.above] = append(g.next[s.above], i)
	g.next[s.below] = append(g.next[s.below], i)
}

// write notes that rule i writes l: it leads to who looks at l, above, or below it.
func (g *graph) write(roots map[string]*spot, l twin.Leaf, i int) {
	s := roots[l.Section]
	for n, key := range l.Path {
		if s == nil || s.keys[key] == nil {
			break
		}
		if s = s.keys[key]; n == len(l.Path)-1 {
			g.next[i] = append(g.next[i], s.below)
		}
	}
	if s != nil {
		g.next[i] = append(g.next[i], s.above)
		if len(l.Path) == 0 {
			g.next[i] = append(g.next[i], s.below)
		}
	}
}

// linked reports whether some rule looks at what some rule writes.
func (g *graph) linked() bool {
	seen := make([]bool, len(g.next))
	var queue []int
	for i := range g.rules {
		queue = append(queue, g.next[i]...)
	}
	for ; len(queue) > 0; queue = queue[1:] {
		switch at := queue[0]; {
		case at < g.rules:
			return true
		case !seen[at]:
			seen[at] = true
			queue = append(queue, g.next[at]...)
		}
	}
	return false
}

// circles returns the sets of rules of which each is reached from each other one,
// and single rules that look at what they write themselves; ascending.
func (g *graph) circles() (list [][]int) {
	w := &strong{graph: g, number: make([]int, len(g.next)), low: make([]int, len(g.next)), on: make([]bool, len(g.next))}
	for i := range g.next {
		if w.number[i] == 0 {
			w.visit(i)
		}
	}
	for _, c := range w.found {
		if len(c) > 1 { // places alone lead only up, or only down
			c = slices.DeleteFunc(c, func(i int) bool { return i >= g.rules })
			slices.Sort(c)
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b []int) int { return a[0] - b[0] })
	return list
}

// strong finds strongly connected components, as Tarjan does.
type strong struct {
	*graph
	number, low []int // from 1, in the order of the visits
	on          []bool
	stack       []int
	count       int
	found       [][]int
}

// visit walks depth first. It keeps its own stack of frames: a pack may hold
// a chain of any length.
func (w *strong) visit(root int) {
	type frame struct{ at, edge int }
	frames := []frame{{root, 0}}
	w.enter(root)
	for len(frames) > 0 {
		f := &frames[len(frames)-1]
		if f.edge < len(w.next[f.at]) {
			to := w.next[f.at][f.edge]
			f.edge++
			if w.number[to] == 0 {
				w.enter(to)
				frames = append(frames, frame{to, 0})
			} else if w.on[to] {
				w.low[f.at] = min(w.low[f.at], w.number[to])
			}
			continue
		}
		frames = frames[:len(frames)-1]
		w.leave(f.at)
		if len(frames) > 0 {
			up := frames[len(frames)-1].at
			w.low[up] = min(w.low[up], w.low[f.at])
		}
	}
}

func (w *strong) enter(i int) {
	w.count++
	w.number[i], w.low[i], w.on[i] = w.count, w.count, true
	w.stack = append(w.stack, i)
}

// leave closes the component whose first rule is i.
func (w *strong) leave(i int) {
	if w.low[i] != w.number[i] {
		return
	}
	at := len(w.stack) - 1
	for w.stack[at] != i {
		at--
	}
	component := slices.Clone(w.stack[at:])
	w.stack = w.stack[:at]
	for _, j := range component {
		w.on[j] = false
	}
	w.found = append(w.found, component)
}

// places finds who is noted at a place, or above or below it, by section and first
// key, so that large packs are quick to compile.
type places struct{ at map[[2]string][]placed }

type placed struct {
	leaf twin.Leaf
	who  int
}

func newPlaces() *places { return &places{map[[2]string][]placed{}} }

func (p *places) add(l twin.Leaf, who int) {
	p.at[placeKey(l)] = append(p.at[placeKey(l)], placed{l, who})
}

// touching returns who is noted at a place that l overlaps, with repetitions.
func (p *places) touching(l twin.Leaf) (list []int) {
	lists := [][]placed{p.at[[2]string{l.Section}], p.at[placeKey(l)]}
	if len(l.Path) == 0 { // all of the section
		lists = nil
		for key, there := range p.at {
			if key[0] == l.Section {
				lists = append(lists, there)
			}
		}
	}
	for _, there := range lists {
		for _, other := range there {
			if other.leaf.Overlaps(l) {
				list = append(list, other.who)
			}
		}
	}
	return list
}

func placeKey(l twin.Leaf) [2]string {
	if len(l.Path) == 0 {
		return [2]string{l.Section}
	}
	return [2]string{l.Section, "." + l.Path[0]}
}
