package wasm

import (
	"slices"
	"strconv"
	"strings"
)

// The names under which a metered module exports what its host sets and reads.
// A module that has such an export of its own cannot be metered.
const (
	FuelExport  = "twinrules-fuel"    // a mutable i64
	StartExport = "twinrules-start"   // the start function, if there was one
	stateExport = "twinrules-global-" // followed by a number
)

// StateExport is the name under which a metered module exports its mutable
// global number i, counted from 0.
func StateExport(i int) string { return stateExport + strconv.Itoa(i) }

// span is how much work may be done on any way through a function before
// another unit of fuel is charged.
const span = 64

// patience is how much work may be done on any way through a function before it is
// asked whether there is fuel.
const patience = 2 * span

// nothing is the type of a block that takes and leaves nothing.
const nothing = 0x40

// A Metered is a module that counts its fuel.
type Metered struct {
	Binary []byte
	State  int // mutable globals, exported as StateExport(0) and on
}

// Meter returns m with a budget of fuel, which all calls draw on until the host
// sets [FuelExport]. Its start function is no longer run by itself but exported as
// [StartExport], so that the host can tell how it ended. One unit is charged for each entry
// into a function and each turn of a loop after the first, another for long ways in between,
// and one for each 32 bytes that a bulk instruction moves. Below zero the module
// traps, soon but not at once: a call that ends with less than nothing has used up its
// fuel as well. Where a call ends by a trap, what it has used since it last called or
// returned is not counted, except where the trap is an unreachable.
//
// The names of functions stay, when they are well written; other custom sections do
// not, since the offsets in them would be wrong.
//
// It fails on a module whose state cannot be put back: one with mutable globals
// other than numbers, or with instructions that are in [Module.Stateful].
func (m *Module) Meter(data []byte, fuel int64) (*Metered, error) {
	if err := m.Meterable(); err != nil {
		return nil, err
	}
	r := &rewriter{m: m, data: data, fuel: uint64(len(m.globals))}
	code := r.code()
	out := append([]byte(nil), header...)
	for _, id := range sectionOrder {
		switch id {
		case globalSection:
			out = appendSection(out, id, r.globals(fuel))
		case exportSection:
			out = appendSection(out, id, r.exports())
		case startSection: // an export now
		case codeSection:
			out = appendSection(out, id, code)
		case typeSection:
			out = appendSection(out, id, r.types())
		default:
			if m.present[id] {
				out = appendSection(out, id, m.sections[id])
			}
		}
	}
	if names := m.names(); names != nil {
		out = appendSection(out, customSection, names)
	}
	return &Metered{Binary: out, State: r.state}, nil
}

// Meterable says why [Module.Meter] would refuse m, or returns nil.
func (m *Module) Meterable() error {
	if len(m.Stateful) > 0 {
		return &FormatError{Reason: "it uses " + m.Stateful[0] + ", whose effect cannot be undone"}
	}
	for _, g := range m.globals {
		if g.Mutable && (g.Type == V128 || g.Type == FuncRef || g.Type == ExternRef) {
			return &FormatError{Reason: "a mutable global is not a number"}
		}
	}
	for _, e := range m.Exports {
		if e.Name == FuelExport || e.Name == StartExport || strings.HasPrefix(e.Name, stateExport) {
			return &FormatError{Reason: "it exports " + e.Name + ", a name that the host needs"}
		}
	}
	return nil
}

type rewriter struct {
	m     *Module
	data  []byte
	fuel  uint64 // the index of the global that counts
	state int
	added []FuncType // of blocks that leave several results
}

// appendBlockType appends the type of a block that takes nothing.
func (r *rewriter) appendBlockType(out []byte, results []ValType) []byte {
	switch len(results) {
	case 0:
		return append(out, nothing)
	case 1:
		return append(out, byte(results[0]))
	}
	same := func(t FuncType) bool { return slices.Equal(t.Results, results) }
	i := slices.IndexFunc(r.added, same)
	if i < 0 {
		i, r.added = len(r.added), append(r.added, FuncType{Results: results})
	}
	return appendSigned(out, int64(len(r.m.types)+i))
}

func (r *rewriter) types() []byte {
	own := r.m.sections[typeSection]
	skip := &reader{data: own, end: len(own)}
	skip.u32()
	b := append(appendUnsigned(nil, uint64(len(r.m.types)+len(r.added))), own[skip.pos:]...)
	for _, t := range r.added {
		b = appendUnsigned(append(b, 0x60, 0), uint64(len(t.Results)))
		for _, v := range t.Results {
			b = append(b, byte(v))
		}
	}
	return b
}

func (r *rewriter) globals(fuel int64) []byte {
	own := r.fuel - r.importedGlobals()
	b := append(appendUnsigned(nil, own+1), r.m.globalText...)
	b = append(b, byte(I64), 1, opI64Const)
	return append(appendSigned(b, fuel), opEnd)
}

func (r *rewriter) importedGlobals() (n uint64) {
	for _, i := range r.m.Imports {
		if i.Kind == Global {
			n++
		}
	}
	return n
}

func (r *rewriter) exports() []byte {
	var own []byte
	for i, g := range r.m.globals {
		if g.Mutable {
			own = appendExport(own, StateExport(r.state), Global, uint64(i))
			r.state++
		}
	}
	own = appendExport(own, FuelExport, Global, r.fuel)
	n := len(r.m.Exports) + r.state + 1
	if r.m.start >= 0 {
		own = appendExport(own, StartExport, Function, uint64(r.m.start))
		n++
	}
	b := appendUnsigned(nil, uint64(n))
	return append(append(b, r.m.exportText...), own...)
}

func appendExport(b []byte, name string, k Kind, index uint64) []byte {
	return appendUnsigned(append(appendName(b, name), byte(k)), index)
}

func (r *rewriter) code() []byte {
	out := appendUnsigned(nil, uint64(len(r.m.Bodies)))
	var body []byte
	for i := range r.m.Bodies {
		t := r.m.types[r.m.functions[r.m.imported+i]]
		body = r.body(body[:0], &r.m.Bodies[i], t)
		out = append(appendUnsigned(out, uint64(len(body))), body...)
	}
	return out
}
