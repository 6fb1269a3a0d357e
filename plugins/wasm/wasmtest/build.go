// Package wasmtest builds small modules for tests, from instructions written as
// bytes, so that no compiler is needed and no binary is committed.
//
// Start with [Module] and [Module.Bytes]. What is built is encoded correctly but
// need not be valid: hostile modules are what it is for.
package wasmtest

import "encoding/binary"

// The types of values, as in package wasm.
const (
	I32 = 0x7f
	I64 = 0x7e
	F64 = 0x7c
)

// A Type is the type of a function.
type Type struct{ Params, Results []byte }

// A Func is a function: imported when Import is set, defined by Code otherwise,
// and exported when Export is set. Imported ones come first.
type Func struct {
	Import [2]string // module and name
	Export string
	Type   Type
	Locals []byte // types, after the parameters
	Code   []byte // instructions, without the last end
}

// A Global is a mutable i32.
type Global struct{ Value int32 }

// A Data is a segment that stands in memory from the beginning.
type Data struct {
	At   int32
	Text []byte
}

// A Module is what Bytes encodes. Zero fields leave their sections out.
type Module struct {
	Funcs         []Func
	Table         uint32 // entries
	Memory        uint32 // pages
	NoMemory      bool
	PrivateMemory bool // not exported
	Globals       []Global
	Start         *int // a function
	Data          []Data
	DataCount     bool // say how many, as memory.init needs it
	Customs       map[string][]byte
	// Raw are contents of sections by their ids, in place of what would stand there.
	Raw map[byte][]byte
}

func u(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }

// Const32 returns the instruction i32.const v.
func Const32(v int32) []byte { return signed([]byte{0x41}, int64(v)) }

// Const64 returns the instruction i64.const v.
func Const64(v int64) []byte { return signed([]byte{0x42}, v) }

// Code joins instructions.
func Code(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func signed(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func text(b []byte, s string) []byte { return append(u(b, uint64(len(s))), s...) }

func (t Type) bytes() []byte {
	b := append(u([]byte{0x60}, uint64(len(t.Params))), t.Params...)
	return append(u(b, uint64(len(t.Results))), t.Results...)
}

// one returns 1 where there is one.
func one(there bool) int {
	if there {
		return 1
	}
	return 0
}

// section appends a section of n items, unless there are none.
func (m *Module) section(b []byte, id byte, n int, items []byte) []byte {
	content, raw := m.Raw[id]
	if n == 0 && !raw {
		return b
	}
	if !raw {
		content = append(u(nil, uint64(n)), items...)
	}
	return append(u(append(b, id), uint64(len(content))), content...)
}

// Bytes returns the module.
func (m *Module) Bytes() []byte {
	b := []byte("\x00asm\x01\x00\x00\x00")
	var types, imports, functions, bodies []byte
	imported := 0
	for i, f := range m.Funcs {
		types = append(types, f.Type.bytes()...)
		if f.Import[1] != "" {
			imports = u(append(text(text(imports, f.Import[0]), f.Import[1]), 0), uint64(i))
			imported++
		} else {
			functions = u(functions, uint64(i))
			bodies = append(bodies, f.body()...)
		}
	}
	exports, exported := m.exports()
	b = m.section(b, 1, len(m.Funcs), types)
	b = m.section(b, 2, imported, imports)
	b = m.section(b, 3, len(m.Funcs)-imported, functions)
	b = m.section(b, 4, one(m.Table > 0), u([]byte{0x70, 0}, uint64(m.Table)))
	b = m.section(b, 5, one(!m.NoMemory), u([]byte{0}, uint64(max(m.Memory, 1))))
	b = m.section(b, 6, len(m.Globals), m.globals())
	b = m.section(b, 7, exported, exports)
	b = m.section(b, 8, 0, nil)
	if m.Start != nil {
		content := u(nil, uint64(*m.Start))
		b = append(u(append(b, 8), uint64(len(content))), content...)
	}
	b = m.section(b, 9, 0, nil)
	if m.DataCount {
		b = append(b, 12, 1, byte(len(m.Data)))
	}
	b = m.section(b, 10, len(m.Funcs)-imported, bodies)
	b = m.section(b, 11, len(m.Data), m.data())
	for name, content := range m.Customs {
		content = append(text(nil, name), content...)
		b = append(u(append(b, 0), uint64(len(content))), content...)
	}
	return b
}

func (m *Module) exports() (b []byte, n int) {
	for i, f := range m.Funcs {
		if f.Export != "" {
			b = u(append(text(b, f.Export), 0), uint64(i))
			n++
		}
	}
	if !m.NoMemory && !m.PrivateMemory {
		b = append(text(b, "memory"), 2, 0)
		n++
	}
	return b, n
}

func (m *Module) globals() (b []byte) {
	for _, g := range m.Globals {
		b = append(append(append(b, I32, 1), Const32(g.Value)...), 0x0b)
	}
	return b
}

func (m *Module) data() (b []byte) {
	for _, d := range m.Data {
		b = append(append(append(b, 0), Const32(d.At)...), 0x0b)
		b = text(b, string(d.Text))
	}
	return b
}

func (f *Func) body() []byte {
	b := u(nil, uint64(len(f.Locals)))
	for _, t := range f.Locals {
		b = append(b, 1, t)
	}
	b = append(append(b, f.Code...), 0x0b)
	return append(u(nil, uint64(len(b))), b...)
}
