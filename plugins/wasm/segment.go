package wasm

// What the flags of a segment mean. The compiler sets memory aside by the counts
// that segments state, before it reads what follows: each is read here first.
const (
	passive  = 1 << iota // or declarative, for elements: no offset
	explicit             // a table or memory is named; declarative, when passive
	values               // elements are constant expressions, not functions
)

// element reads a segment of a table.
func (p *parser) element() {
	flags := p.u32()
	if flags > passive|explicit|values {
		p.fail("a segment of kind %d", flags)
		return
	}
	p.offset(flags)
	if flags&(passive|explicit) != 0 {
		p.elementType(flags)
	}
	if flags&values != 0 {
		p.vector(func() { p.constant(len(p.m.globals)) })
	} else {
		p.vector(p.functionIndex)
	}
}

// elementType reads the type of a segment's values: a reference type, or the
// byte 0 for functions.
func (p *parser) elementType(flags uint32) {
	switch t := p.byte(); {
	case flags&values == 0 && t == 0:
	case flags&values != 0 && (ValType(t) == FuncRef || ValType(t) == ExternRef):
	default:
		p.fail("elements of type %#x", t)
	}
}

func (p *parser) functionIndex() {
	f := p.u32()
	if int64(f) >= int64(len(p.m.functions)) {
		p.fail("there is no function %d", f)
	}
	p.declare(uint64(f))
}

// datum reads a segment of the memory.
func (p *parser) datum() {
	flags := p.u32()
	if flags > explicit {
		p.fail("a segment of kind %d", flags)
		return
	}
	p.offset(flags)
	p.skip(uint64(p.u32()))
}

// offset reads where an active segment goes: the table or memory, when it is
// named, and the place in it.
func (p *parser) offset(flags uint32) {
	if flags&passive != 0 {
		return
	}
	if flags&explicit != 0 {
		p.u32()
	}
	p.constant(len(p.m.globals))
}
