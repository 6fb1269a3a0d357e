package wasm

// body appends the function b with its charges to out.
func (r *rewriter) body(out []byte, b *Body) []byte {
	c := &charger{rewriter: r, out: out, left: uint64(b.Locals), length: uint64(b.Locals) + 1}
	groups := r.data[b.start:b.code]
	skip := &reader{data: groups, end: len(groups)}
	skip.u32()
	c.out = appendUnsigned(c.out, uint64(b.groups)+2)
	c.out = append(c.out, groups[skip.pos:]...)
	c.out = append(c.out, 1, byte(I64), 1, byte(I32))
	c.copied = b.code
	c.charge(1)
	p := &parser{reader: reader{data: r.data, pos: b.code, end: b.end}, m: r.m}
	b2 := *b
	p.walk(&b2, func(in instruction) { c.instruction(in, p.pos) })
	return append(c.out, r.data[c.copied:b.end]...)
}

// A charger copies the instructions of one function and puts charges between
// them. What it inserts leaves the stack of operands as it was, so that it can
// stand anywhere in a valid function.
type charger struct {
	*rewriter
	out          []byte
	copied       int    // what stands before it in data has been copied
	left, length uint64 // locals of its own: fuel that is left, bytes to move

	// work is an upper bound of what has been done since the last charge on any
	// way that leads here.
	work   int
	blocks []block
}

// A block is one that is open.
type block struct {
	loop   bool
	around int // work of the way around an if that has no else
	out    int // most work of the branches that leave it, and of its first arm
}

func (c *charger) instruction(in instruction, next int) {
	if c.work += weight(in); c.work > span {
		c.copy(in.at)
		c.charge(1)
		c.work = weight(in)
	}
	if in.bulk() {
		c.copy(in.at)
		c.chargeLength()
	}
	c.follow(in)
	if in.op == opLoop {
		c.copy(next)
		c.charge(1)
		c.work = 0
	}
}

// follow keeps count of the work along the ways through the function.
func (c *charger) follow(in instruction) {
	switch in.op {
	case opBlock, opLoop, opIf:
		c.blocks = append(c.blocks, c.open(in.op))
	case opElse:
		if n := len(c.blocks) - 1; n >= 0 {
			c.blocks[n].out = max(c.blocks[n].out, c.work)
			c.work, c.blocks[n].around = c.blocks[n].around, 0
		}
	case opBr, opBrIf, opBrTable:
		c.branch(in)
	case opEnd:
		if n := len(c.blocks) - 1; n >= 0 {
			b := c.blocks[n]
			c.work = max(c.work, b.out, b.around)
			c.blocks = c.blocks[:n]
		}
	}
}

func (c *charger) open(op byte) block {
	b := block{loop: op == opLoop}
	if op == opIf {
		b.around = c.work
	}
	return b
}

// branch notes the work with which a branch arrives behind its block. A branch
// to the head of a loop meets the charge there.
func (c *charger) branch(in instruction) {
	for _, label := range in.labels() {
		if n := len(c.blocks) - 1 - int(label); n >= 0 && !c.blocks[n].loop {
			c.blocks[n].out = max(c.blocks[n].out, c.work)
		}
	}
}

// weight is how much work an instruction is, where 1 is an addition. Reading
// memory out of order and dividing take longer; growing memory asks the host.
func weight(in instruction) int {
	switch op := in.op; {
	case opLoad <= op && op <= opStoreLast, op == opCall, op == opCallIndirect:
		return 4
	case op == opMemoryGrow:
		return span
	case 0x6d <= op && op <= 0x70, 0x7f <= op && op <= 0x82: // integer division
		return 8
	case op == 0x91, op == 0x95, op == 0x9f, op == 0xa3, op == opVector: // root and division of floats
		return 4
	}
	return 1
}

// bulk reports whether the last operand of an instruction says how many bytes
// it moves.
func (in instruction) bulk() bool {
	return in.op == opBulk && (in.sub == subMemoryInit || in.sub == subMemoryCopy || in.sub == subMemoryFill)
}

func (c *charger) copy(to int) {
	c.out = append(c.out, c.data[c.copied:to]...)
	c.copied = to
}

func (c *charger) charge(units int64) {
	c.out = appendUnsigned(append(c.out, opGlobalGet), c.fuel)
	c.out = appendSigned(append(c.out, opI64Const), units)
	c.settle()
}

// chargeLength charges for the length on top of the stack, which stays there.
func (c *charger) chargeLength() {
	c.out = appendUnsigned(append(c.out, opLocalTee), c.length)
	c.out = appendUnsigned(append(c.out, opGlobalGet), c.fuel)
	c.out = appendUnsigned(append(c.out, opLocalGet), c.length)
	c.out = append(c.out, opI64ExtendU, opI64Const, 5, opI64ShrU)
	c.settle()
}

// settle subtracts what is on top of the stack from the fuel below it, and traps
// when less than nothing is left.
func (c *charger) settle() {
	c.out = appendUnsigned(append(c.out, opI64Sub, opLocalTee), c.left)
	c.out = appendUnsigned(append(c.out, opGlobalSet), c.fuel)
	c.out = appendUnsigned(append(c.out, opLocalGet), c.left)
	c.out = append(c.out, opI64Const, 0, opI64LtS, opIf, 0x40, opUnreachable, opEnd)
}
