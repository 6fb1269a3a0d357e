package wasm

import "slices"

// A charger copies the instructions of one function and puts charges between
// them. What it inserts leaves the stack of operands as it was, so that it can
// stand anywhere in a valid function.
type charger struct {
	*rewriter
	purse
	out    []byte
	copied int    // what stands before it in data has been copied
	length uint64 // a local of its own: bytes to move

	left bool // a branch leaves the function

	way    way
	blocks []block
}

// A way is an upper bound of what has been done on any way that leads to an
// instruction.
type way struct {
	unpaid  int // since the last charge
	unasked int // since it was last asked whether there is fuel
}

func (w way) max(v way) way {
	return way{max(w.unpaid, v.unpaid), max(w.unasked, v.unasked)}
}

// A block is one that is open.
type block struct {
	loop   bool
	takes  bool // operands
	meets  bool // branches lead behind its end, or around an if
	around way  // the way around an if that has no else
	out    way  // the ways of the branches that leave it, and of its first arm
}

// body appends the function b, whose type is t, with its charges to out. The
// instructions stand in a block of the function's type, which is left for the end of
// the function, and that in one which is left when there is no fuel:
//
//	block
//	  block (results)
//	    … branches to the outer block
//	  end
//	  global.set fuel
//	  return
//	end
//	global.set fuel -1
//	unreachable
//
// So what is rarely run stands in one place and is not jumped over, which was
// measured to be a tenth of what fuel costs.
func (r *rewriter) body(out []byte, b *Body, t FuncType) []byte {
	c := &charger{rewriter: r, purse: newPurse(r.fuel, b), out: out, length: uint64(b.Locals) + 1, copied: b.code}
	c.declare(b)
	c.out = append(c.out, opBlock, nothing, opBlock)
	c.out = r.appendBlockType(c.out, t.Results)
	c.charge()
	p := &parser{reader: reader{data: r.data, pos: b.code, end: b.end}, m: r.m}
	walked := *b
	p.walk(&walked, func(in instruction) { c.instruction(in, p.pos) })
	c.copy(b.end)
	c.out = append(c.putBack(c.out), opReturn, opEnd, opI64Const, 0x7f)
	c.out = append(appendUnsigned(append(c.out, opGlobalSet), c.global), opUnreachable, opEnd)
	return c.out
}

// declare copies the locals of b and adds those of the charger.
func (c *charger) declare(b *Body) {
	groups := c.data[b.start:b.code]
	skip := &reader{data: groups, end: len(groups)}
	skip.u32()
	c.out = appendUnsigned(c.out, uint64(b.groups)+2)
	c.out = append(c.out, groups[skip.pos:]...)
	c.out = append(c.out, 1, byte(I64), 1, byte(I32))
}

func (c *charger) instruction(in instruction, next int) {
	c.pay(in)
	if in.bulk() {
		c.copy(in.at)
		c.chargeLength()
	}
	c.handOver(in)
	if c.turns(in) {
		c.turn(in, next)
	}
	c.follow(in)
}

// turns reports whether in may go back to the head of a loop.
func (c *charger) turns(in instruction) bool {
	switch in.op {
	case opBr, opBrIf, opBrTable:
		return slices.ContainsFunc(in.labels(), func(label uint32) bool {
			b, ok := c.target(label)
			return ok && b.loop
		})
	}
	return false
}

// target returns the block that a branch leaves, or whose head it goes to, and false
// for the function.
func (c *charger) target(label uint32) (block, bool) {
	n := len(c.blocks) - 1 - int(label)
	if n < 0 {
		return block{}, false
	}
	return c.blocks[n], true
}

// turn charges for one more turn of a loop: where in goes back whatever is on the
// stack, just before it, and otherwise only if it does. A branch that takes operands
// along cannot be moved, and is charged for whether it goes back or not.
func (c *charger) turn(in instruction, next int) {
	c.copy(in.at)
	if b, _ := c.target(in.index); in.op != opBrIf || b.takes {
		c.charge()
		return
	}
	purse, way := c.purse, c.way
	c.out = append(c.out, opIf, nothing)
	c.blocks = append(c.blocks, block{})
	c.charge()
	c.out = append(appendUnsigned(append(c.out, opBr), uint64(in.index)+1), opEnd)
	c.blocks, c.copied = c.blocks[:len(c.blocks)-1], next
	c.purse, c.way = purse, way
}

// pay charges for long ways. Not each time is it asked whether there was as much
// fuel: it will be soon, by a turn, a function that is entered, or the host. It is
// asked now and then, or else calls as deep as the stack would each go on for long
// when they return.
func (c *charger) pay(in instruction) {
	w := weight(in)
	if c.way.unpaid+w > span {
		c.copy(in.at)
		c.out = c.take(c.out, max(1, w/span))
		if c.way.unpaid = 0; c.way.unasked >= patience {
			c.ask()
		}
	}
	w = min(w, span)
	c.way.unpaid += w
	c.way.unasked += w
}

// handOver brings the fuel to where the instructions that come next look for it.
func (c *charger) handOver(in instruction) {
	switch in.op {
	case opCall, opCallIndirect:
		c.copy(in.at)
		c.out = c.putBack(c.out)
		c.spentByOthers()
	case opReturn, opUnreachable:
		c.copy(in.at)
		c.out = c.putBack(c.out)
	case opIf, opBr, opBrIf, opBrTable:
		c.copy(in.at)
		c.out = c.takeOut(c.out)
	case opLoop, opElse, opEnd:
		if in.op != opEnd || c.meets() {
			c.copy(in.at)
			c.out = c.takeOut(c.out)
			c.joined()
		}
	}
}

// meets reports whether branches lead behind the end of the last block.
func (c *charger) meets() bool {
	if b, ok := c.target(0); ok {
		return b.meets
	}
	return c.left
}

// follow keeps count of the work along the ways through the function.
func (c *charger) follow(in instruction) {
	switch in.op {
	case opBlock, opLoop, opIf:
		c.blocks = append(c.blocks, c.open(in))
	case opElse:
		if n := len(c.blocks) - 1; n >= 0 {
			c.blocks[n].out = c.blocks[n].out.max(c.way)
			c.way, c.blocks[n].around = c.blocks[n].around, way{}
		}
	case opBr, opBrIf, opBrTable:
		c.branch(in)
	case opEnd:
		if n := len(c.blocks) - 1; n >= 0 {
			b := c.blocks[n]
			c.way = c.way.max(b.out).max(b.around)
			c.blocks = c.blocks[:n]
		}
	}
}

func (c *charger) open(in instruction) block {
	b := block{loop: in.op == opLoop, takes: in.takes}
	if in.op == opIf {
		b.around, b.meets = c.way, true
	}
	return b
}

// branch notes the work with which a branch arrives behind its block. A branch
// to the head of a loop meets the charge there.
func (c *charger) branch(in instruction) {
	for _, label := range in.labels() {
		n := len(c.blocks) - 1 - int(label)
		switch {
		case n < 0:
			c.left = true
		case !c.blocks[n].loop:
			c.blocks[n].out, c.blocks[n].meets = c.blocks[n].out.max(c.way), true
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
		return 16 * span
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

// charge takes a unit of fuel and asks whether it was there.
func (c *charger) charge() {
	c.out = c.take(c.out, 1)
	c.way.unpaid = 0
	c.ask()
}

// chargeLength charges for the length on top of the stack, which stays there.
func (c *charger) chargeLength() {
	c.out = appendUnsigned(append(c.out, opLocalTee), c.length)
	c.out = c.get(c.out)
	c.out = appendUnsigned(append(c.out, opLocalGet), c.length)
	c.out = append(c.out, opI64ExtendU, opI64Const, 5, opI64ShrU)
	c.out = c.less(c.out)
	c.ask()
}

// ask leaves the outer block of the function when less than nothing is left.
func (c *charger) ask() {
	c.out = append(c.get(c.out), opI64Const, 0, opI64LtS, opBrIf)
	c.out = appendUnsigned(c.out, uint64(len(c.blocks)+1))
	c.way.unasked = 0
}
