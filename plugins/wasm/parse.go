package wasm

import "bytes"

// header starts every core module: a magic word and version 1.
var header = []byte("\x00asm\x01\x00\x00\x00")

// The ids of sections.
const (
	customSection = iota
	typeSection
	importSection
	functionSection
	tableSection
	memorySection
	globalSection
	exportSection
	startSection
	elementSection
	codeSection
	dataSection
	dataCountSection
)

// sectionOrder is the order in which sections must stand.
var sectionOrder = [...]byte{
	typeSection, importSection, functionSection, tableSection, memorySection, globalSection,
	exportSection, startSection, elementSection, dataCountSection, codeSection, dataSection,
}

// Parse reads a module of WebAssembly 2.0. It keeps data, which must not change
// afterwards. Its error is a [*FormatError].
func Parse(data []byte) (*Module, error) {
	p := &parser{
		reader: reader{data: data, end: len(data)},
		m:      &Module{size: len(data), start: -1, exportNames: map[string]bool{}},
	}
	if !bytes.HasPrefix(data, header) {
		p.fail("it does not start with the header of a core module")
		return nil, p.err
	}
	p.pos = len(header)
	p.sections()
	if len(p.m.Bodies) != len(p.m.functions)-p.m.imported {
		p.fail("%d functions have %d bodies", len(p.m.functions)-p.m.imported, len(p.m.Bodies))
	}
	if p.err != nil {
		return nil, p.err
	}
	return p.m, nil
}

type parser struct {
	reader
	m *Module
}

func (p *parser) sections() {
	next := 0 // in sectionOrder
	for p.more() {
		id := p.byte()
		size := p.u32()
		start := p.pos
		if p.skip(uint64(size)); p.err != nil {
			return
		}
		if id != customSection {
			if next = afterSection(next, id); next < 0 {
				p.pos = start
				p.fail("section %d is unknown or out of order", id)
				return
			}
			p.m.sections[id], p.m.present[id] = p.data[start:p.pos], true
		}
		p.section(id, start, p.pos)
	}
}

// afterSection returns the place in sectionOrder after id at or beyond next, or
// -1 when id does not come there.
func afterSection(next int, id byte) int {
	for i := next; i < len(sectionOrder); i++ {
		if sectionOrder[i] == id {
			return i + 1
		}
	}
	return -1
}

// section reads the section that stands between start and end.
func (p *parser) section(id byte, start, end int) {
	outer := p.end
	p.pos, p.end = start, end
	switch id {
	case customSection:
		p.custom()
	case typeSection:
		p.vector(p.funcType)
	case importSection:
		p.vector(p.importEntry)
	case functionSection:
		p.vector(p.function)
	case tableSection:
		p.vector(p.table)
	case memorySection:
		p.vector(p.memory)
	case globalSection:
		p.entries(&p.m.globalText, p.global)
	case exportSection:
		p.entries(&p.m.exportText, p.export)
	case codeSection:
		p.code()
	case startSection:
		p.start()
	case dataCountSection:
		p.u32()
	case elementSection:
		p.vector(p.element)
	case dataSection:
		p.vector(p.datum)
	}
	if p.err == nil && p.pos != end {
		p.fail("section %d is longer than its content", id)
	}
	p.end = outer
}

// entries reads a vector and keeps the bytes of its items.
func (p *parser) entries(text *[]byte, item func()) {
	n := p.u32()
	start := p.pos
	for ; n > 0 && p.err == nil; n-- {
		item()
	}
	*text = p.data[start:p.pos]
}

func (p *parser) custom() {
	name := p.name()
	if p.err == nil {
		p.m.Customs = append(p.m.Customs, Custom{name, p.data[p.pos:p.end]})
		p.pos = p.end
	}
}

func (p *parser) funcType() {
	if form := p.byte(); form != 0x60 {
		p.fail("a type of form %#x", form)
	}
	p.m.types = append(p.m.types, FuncType{Params: p.valTypes(), Results: p.valTypes()})
}

func (p *parser) valTypes() (list []ValType) {
	p.vector(func() { list = append(list, p.valType()) })
	return list
}

func (p *parser) valType() ValType {
	switch t := ValType(p.byte()); t {
	case I32, I64, F32, F64, V128, FuncRef, ExternRef:
		return t
	default:
		p.fail("unknown type %#x", byte(t))
		return 0
	}
}

func (p *parser) importEntry() {
	i := Import{Module: p.name(), Name: p.name(), Kind: Kind(p.byte())}
	switch i.Kind {
	case Function:
		p.function()
		if p.err == nil {
			i.Type = p.m.types[p.m.functions[p.m.imported]]
			p.m.imported++
		}
	case Table:
		p.table()
	case Memory:
		p.memory()
	case Global:
		p.globalType()
	default:
		p.fail("an import of kind %d", i.Kind)
	}
	p.m.Imports = append(p.m.Imports, i)
}

func (p *parser) function() {
	t := p.u32()
	if int64(t) >= int64(len(p.m.types)) {
		p.fail("there is no type %d", t)
	}
	p.m.functions = append(p.m.functions, t)
}

func (p *parser) table() {
	if t := p.valType(); t != FuncRef && t != ExternRef {
		p.fail("a table of type %#x", byte(t))
	}
	p.m.Tables = append(p.m.Tables, p.limits())
}

func (p *parser) memory() { p.m.Memories = append(p.m.Memories, p.limits()) }

func (p *parser) limits() (l Limits) {
	flag := p.byte()
	if flag > 1 {
		p.fail("a memory or table that is shared or of 64 bits")
	}
	l.Min, l.HasMax = p.u32(), flag == 1
	if l.HasMax {
		l.Max = p.u32()
	}
	return l
}

func (p *parser) globalType() {
	t, mutable := p.valType(), p.byte()
	if mutable > 1 {
		p.fail("a global of mutability %d", mutable)
	}
	p.m.globals = append(p.m.globals, global{t, mutable == 1})
}

func (p *parser) global() {
	visible := len(p.m.globals) // an initial value sees the globals before it
	p.globalType()
	p.constant(visible)
}

// constant reads an expression of one constant instruction.
func (p *parser) constant(globals int) {
	at := p.pos
	switch in := p.instruction(); in.op {
	case opI32Const, opI64Const, opF32Const, opF64Const, opRefNull:
	case opRefFunc:
		p.declare(uint64(in.index))
	case opGlobalGet:
		if int64(in.index) >= int64(globals) {
			p.fail("there is no global %d", in.index)
		}
	case opVector:
		if in.sub != subV128Const {
			p.pos = at
			p.fail("an initial value that is no constant")
		}
	default:
		p.pos = at
		p.fail("an initial value that is no constant")
	}
	if p.byte() != opEnd {
		p.fail("an initial value of more than one instruction")
	}
}

func (p *parser) export() {
	e := Export{Name: p.name(), Kind: Kind(p.byte()), Index: p.u32()}
	if p.err != nil {
		return
	}
	if p.m.exportNames[e.Name] {
		p.fail("two exports called %q", e.Name)
		return
	}
	p.m.exportNames[e.Name] = true
	if int64(e.Index) >= int64(p.count(e.Kind)) {
		p.fail("the export %q is %s %d, which does not exist", e.Name, e.Kind, e.Index)
		return
	}
	if e.Kind == Function {
		p.declare(uint64(e.Index))
		e.Type = p.m.types[p.m.functions[e.Index]]
	}
	p.m.Exports = append(p.m.Exports, e)
}

// declare notes that code may take a reference to a function.
func (p *parser) declare(function uint64) {
	if p.m.declared == nil {
		p.m.declared = map[uint64]bool{}
	}
	p.m.declared[function] = true
}

// count returns how many things of a kind there are, none of an unknown kind.
func (p *parser) count(k Kind) int {
	switch k {
	case Function:
		return len(p.m.functions)
	case Table:
		return len(p.m.Tables)
	case Memory:
		return len(p.m.Memories)
	case Global:
		return len(p.m.globals)
	}
	return 0
}

// start reads the start function. Its type is checked here, since after metering
// it is an export like any other.
func (p *parser) start() {
	f := p.u32()
	if int64(f) >= int64(len(p.m.functions)) {
		p.fail("there is no function %d to start with", f)
		return
	}
	if t := p.m.types[p.m.functions[f]]; len(t.Params)+len(t.Results) > 0 {
		p.fail("the start function has parameters or results")
	}
	p.m.start = int64(f)
}
