package wasm

// The instructions that this package has to know by name.
const (
	opUnreachable  = 0x00
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opTableSet     = 0x26
	opLoad         = 0x28 // the first of the loads and stores
	opStoreLast    = 0x3e
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opF32Const     = 0x43
	opF64Const     = 0x44
	opI64LtS       = 0x53
	opI64Sub       = 0x7d
	opI64ShrU      = 0x88
	opI64ExtendU   = 0xad
	opRefNull      = 0xd0
	opRefFunc      = 0xd2
	opBulk         = 0xfc // a number follows
	opVector       = 0xfd // a number follows

	subMemoryInit = 8
	subDataDrop   = 9
	subMemoryCopy = 10
	subMemoryFill = 11
	subTableInit  = 12
	subElemDrop   = 13
	subTableCopy  = 14
	subTableGrow  = 15
	subTableFill  = 17

	subV128Const = 12
)

// An operand says what follows an instruction's byte.
type operand byte

const (
	unknown   operand = iota
	none              // nothing
	blockType         // a type, or the number of one
	index             // a number
	twoIndexes
	table     // labels
	oneType   // a vector of one type
	address   // alignment and offset of a memory access
	zero      // the byte 0, which stands for the only memory
	number32  // up to 5 bytes
	number64  // up to 10 bytes
	fixed4    // 4 bytes
	fixed8    // 8 bytes
	reference // a reference type
	prefix    // a number that chooses the instruction
)

// operands says for each byte what follows it. What is missing here is refused:
// tail calls, exceptions, threads, garbage collection.
var operands = func() (t [256]operand) {
	fill := func(from, to int, o operand) {
		for op := from; op <= to; op++ {
			t[op] = o
		}
	}
	fill(0x00, 0x01, none)
	fill(opBlock, opIf, blockType)
	fill(opElse, opElse, none)
	fill(opEnd, opEnd, none)
	fill(opBr, opBrIf, index)
	fill(opBrTable, opBrTable, table)
	fill(opReturn, opReturn, none)
	fill(opCall, opCall, index)
	fill(opCallIndirect, opCallIndirect, twoIndexes)
	fill(0x1a, 0x1b, none) // drop, select
	fill(0x1c, 0x1c, oneType)
	fill(opLocalGet, opTableSet, index)
	fill(opLoad, opStoreLast, address)
	fill(0x3f, opMemoryGrow, zero)
	fill(opI32Const, opI32Const, number32)
	fill(opI64Const, opI64Const, number64)
	fill(opF32Const, opF32Const, fixed4)
	fill(opF64Const, opF64Const, fixed8)
	fill(0x45, 0xc4, none) // comparisons, arithmetic, conversions
	fill(opRefNull, opRefNull, reference)
	fill(0xd1, 0xd1, none) // ref.is_null
	fill(opRefFunc, opRefFunc, index)
	fill(opBulk, opVector, prefix)
	return t
}()

// An instruction is one that was read, with what this package needs of it.
type instruction struct {
	op      byte
	sub     uint32   // of opBulk and opVector
	index   uint32   // the first number that follows
	takes   bool     // of a block: it has parameters
	targets []uint32 // of opBrTable; valid until the next one is read
	values  int      // that a block takes and leaves
	at      int      // where it starts
}

func (p *parser) instruction() instruction {
	in := instruction{at: p.pos}
	in.op = p.byte()
	switch operands[in.op] {
	case none:
	case blockType:
		in.values, in.takes = p.blockType()
	case index:
		in.index = p.u32()
	case twoIndexes:
		in.index = p.u32()
		p.u32()
	case table:
		in.targets = p.targets()
	case oneType:
		if p.byte() != 1 {
			p.fail("a select of several types")
		}
		p.valType()
	case address:
		p.address()
	case zero:
		if p.byte() != 0 {
			p.fail("a second memory")
		}
	case number32:
		p.signed(5)
	case number64:
		p.signed(10)
	case fixed4:
		p.skip(4)
	case fixed8:
		p.skip(8)
	case reference:
		if t := p.valType(); t != FuncRef && t != ExternRef {
			p.fail("a null of type %#x", byte(t))
		}
	case prefix:
		p.prefixed(&in)
	default:
		p.pos = in.at
		p.fail("unknown instruction %#x", in.op)
	}
	return in
}

// blockType returns how many values such a block takes and leaves, and whether it
// takes any.
func (p *parser) blockType() (values int, takes bool) {
	switch t := p.signed(5); {
	case t >= int64(len(p.m.types)):
		p.fail("there is no type %d", t)
	case t >= 0:
		return p.m.types[t].values(), len(p.m.types[t].Params) > 0
	case t == -0x40: // nothing
	case t < -0x40:
		p.fail("a block of an unknown type")
	default:
		switch ValType(t & 0x7f) {
		case I32, I64, F32, F64, V128, FuncRef, ExternRef:
			return 1, false
		default:
			p.fail("a block of an unknown type")
		}
	}
	return 0, false
}

func (p *parser) targets() (list []uint32) {
	p.vector(func() { list = append(list, p.u32()) })
	return append(list, p.u32())
}

// address reads where in memory an instruction reads or writes. The flags of
// other memories and of 64 bits stand in the alignment, whose largest use is 4.
func (p *parser) address() {
	if align := p.u32(); align > 4 {
		p.fail("a memory access with the alignment %d", align)
	}
	p.u32()
}

// prefixed reads the number that chooses an instruction, and what follows. The
// number must have its shortest spelling: wazero 1.12 takes the first byte of it
// for all of it behind opVector, and who spells it longer could hide instructions
// in what is skipped here.
func (p *parser) prefixed(in *instruction) {
	if in.sub = uint32(p.byte()); in.sub >= 0x80 {
		if p.byte() != 1 {
			p.pos = in.at
			p.fail("unknown instruction %#x %#x", in.op, in.sub)
			return
		}
	}
	if in.op == opBulk {
		p.bulk(in)
		return
	}
	switch sub := in.sub; {
	case sub <= 11 || sub == 92 || sub == 93:
		p.address()
	case sub == subV128Const || sub == 13:
		p.skip(16)
	case 21 <= sub && sub <= 34:
		p.byte() // a lane
	case 84 <= sub && sub <= 91:
		p.address()
		p.byte()
	}
}

func (p *parser) bulk(in *instruction) {
	switch in.sub {
	case 0, 1, 2, 3, 4, 5, 6, 7: // conversions that saturate
	case subMemoryInit:
		in.index = p.u32()
		if p.byte() != 0 {
			p.fail("a second memory")
		}
	case subMemoryCopy:
		if p.byte() != 0 || p.byte() != 0 {
			p.fail("a second memory")
		}
	case subMemoryFill:
		if p.byte() != 0 {
			p.fail("a second memory")
		}
	case subTableInit, subTableCopy:
		in.index = p.u32()
		p.u32()
	case subDataDrop, subElemDrop, subTableGrow, 16, subTableFill:
		in.index = p.u32()
	default:
		p.pos = in.at
		p.fail("unknown instruction %#x %d", in.op, in.sub)
	}
}

// stateful returns the name of an instruction that changes a table, or drops a
// segment: no host can put that back between two calls.
func (in instruction) stateful() string {
	if in.op == opTableSet {
		return "table.set"
	}
	if in.op != opBulk {
		return ""
	}
	switch in.sub {
	case subDataDrop:
		return "data.drop"
	case subTableInit:
		return "table.init"
	case subElemDrop:
		return "elem.drop"
	case subTableCopy:
		return "table.copy"
	case subTableGrow:
		return "table.grow"
	case subTableFill:
		return "table.fill"
	}
	return ""
}

// labels returns where a branch may go, as numbers of blocks to leave.
func (in instruction) labels() []uint32 {
	if in.op == opBrTable {
		return in.targets
	}
	return []uint32{in.index}
}
