package wasm

import "slices"

// A Body says how big the code of one function is.
type Body struct {
	Size   int // bytes
	Locals int // with the parameters
	Depth  int // blocks in blocks
	Blocks int // of straight code that the compiler will see, about
	Values int // that calls, blocks and branches pass on, each as often as it is

	work   int
	widest int // the most values of a block until now

	start, code, end int // of the locals, of the instructions, and behind them
	groups           uint32
}

func (p *parser) code() {
	p.vector(func() {
		size := p.u32()
		start := p.pos
		if p.skip(uint64(size)); p.err != nil {
			return
		}
		if len(p.m.Bodies) >= len(p.m.functions)-p.m.imported {
			p.fail("more bodies than functions")
			return
		}
		outer := p.end
		p.pos, p.end = start, start+int(size)
		p.body()
		p.end = outer
	})
}

// body reads one function and checks every index that rewriting could give a
// new meaning.
func (p *parser) body() {
	b := Body{start: p.pos, end: p.end, Size: p.end - p.pos}
	f := p.m.functions[p.m.imported+len(p.m.Bodies)]
	locals := uint64(len(p.m.types[f].Params))
	b.widest = len(p.m.types[f].Results)
	b.groups = p.u32()
	for range b.groups {
		locals += uint64(p.u32())
		if p.valType(); p.err != nil {
			return
		}
	}
	if locals >= 50_000 {
		p.fail("a function with %d locals", locals)
		return
	}
	b.Locals, b.code = int(locals), p.pos
	p.walk(&b, func(in instruction) {
		p.check(in, &b)
		b.count(in)
		p.pass(in, &b)
	})
	b.Blocks += b.work / span
	p.m.Bodies = append(p.m.Bodies, b)
}

// walk reads the instructions of a body to its last end and tells visit of
// each.
func (p *parser) walk(b *Body, visit func(in instruction)) {
	depth := 1
	for p.err == nil {
		in := p.instruction()
		if p.err != nil {
			return
		}
		visit(in)
		switch in.op {
		case opBlock, opLoop, opIf:
			depth++
			b.Depth = max(b.Depth, depth)
		case opBr, opBrIf, opBrTable:
			p.labels(in, depth)
		case opEnd:
			if depth--; depth == 0 {
				if p.pos != b.end {
					p.fail("instructions after the end of a function")
				}
				return
			}
		}
	}
}

func (p *parser) labels(in instruction, depth int) {
	for _, label := range in.labels() {
		if int64(label) >= int64(depth) {
			p.fail("a branch out of %d blocks where there are %d", label, depth)
			return
		}
	}
}

func (p *parser) check(in instruction, b *Body) {
	limit, what := -1, ""
	switch in.op {
	case opLocalGet, opLocalSet, opLocalTee:
		limit, what = b.Locals, "local"
	case opGlobalGet, opGlobalSet:
		limit, what = len(p.m.globals), "global"
	case opCall, opRefFunc:
		limit, what = len(p.m.functions), "function"
	}
	if limit >= 0 && int64(in.index) >= int64(limit) {
		p.pos = in.at
		p.fail("there is no %s %d", what, in.index)
		return
	}
	// Metering exports the start function, which would make this right.
	if in.op == opRefFunc && !p.m.declared[uint64(in.index)] {
		p.pos = in.at
		p.fail("a reference to function %d, which is declared nowhere", in.index)
	}
	if name := in.stateful(); name != "" && !slices.Contains(p.m.Stateful, name) {
		p.m.Stateful = append(p.m.Stateful, name)
	}
}

// count adds to b what an instruction will become when it has been charged for
// and compiled. What asks the host or moves memory was measured to weigh six.
func (b *Body) count(in instruction) {
	b.work += weight(in)
	switch in.op {
	case opBlock, opIf, opBr, opBrIf:
		b.Blocks++
	case opLoop:
		b.Blocks += 2
	case opBrTable:
		b.Blocks += 1 + len(in.targets)/16
	case opMemoryGrow:
		b.Blocks += 6
	case opBulk:
		if in.bulk() {
			b.Blocks += 6
		}
	}
}

// pass adds to b what an instruction passes on. Where a branch leads is not looked at:
// it is taken for one to the widest block so far.
func (p *parser) pass(in instruction, b *Body) {
	if p.err != nil {
		return
	}
	switch in.op {
	case opBlock, opLoop, opIf:
		b.Values += in.values
		b.widest = max(b.widest, in.values)
	case opCall:
		b.Values += p.m.types[p.m.functions[in.index]].values()
	case opCallIndirect:
		if int64(in.index) < int64(len(p.m.types)) { // the compiler refuses it otherwise
			b.Values += p.m.types[in.index].values()
		}
	case opBr, opBrIf, opBrTable:
		b.Values += b.widest * len(in.labels())
	}
}

// Effort is about how many microseconds a compiler needs for b on a slow machine
// of 2025, fitted to what wazero 1.12 needs for functions that are made to be hard.
func (b *Body) Effort() int {
	return 25 + 3*b.Values + 17*b.Blocks + 2*b.Blocks*b.Locals + b.Blocks*b.Blocks/30 + b.Size*7/10 + b.Size*b.Size/10_000
}
