package wasm

// A purse is where a function has its fuel: in a local while it spends, in the global
// while others may look at it, which are the functions that it calls, and the host
// when it is over. A local is a register, or nearly, whereas each turn of a
// loop that went by the global would wait for what the last one stored there.
//
// What it inserts leaves the stack as it was, unless it says something else.
type purse struct {
	global, local uint64 // their numbers
	outside       bool   // the global is right, and the local is not
	inside        bool   // the local is right, and the global may not be
}

// newPurse returns that of a function which is entered.
func newPurse(global uint64, b *Body) purse {
	return purse{global: global, local: uint64(b.Locals), outside: true}
}

// get puts the fuel on the stack.
func (p *purse) get(out []byte) []byte {
	if p.outside {
		return appendUnsigned(append(out, opGlobalGet), p.global)
	}
	return appendUnsigned(append(out, opLocalGet), p.local)
}

// take spends some units.
func (p *purse) take(out []byte, units int) []byte {
	return p.less(appendSigned(append(p.get(out), opI64Const), int64(units)))
}

// less subtracts what is on top of the stack from the fuel below it. Both are gone
// then.
func (p *purse) less(out []byte) []byte {
	p.outside, p.inside = false, true
	return appendUnsigned(append(out, opI64Sub, opLocalSet), p.local)
}

// putBack makes the global right.
func (p *purse) putBack(out []byte) []byte {
	if !p.inside {
		return out
	}
	p.inside = false
	return appendUnsigned(append(p.get(out), opGlobalSet), p.global)
}

// takeOut makes the local right, which is what every way into a join has in common.
func (p *purse) takeOut(out []byte) []byte {
	if !p.outside {
		return out
	}
	out = appendUnsigned(append(p.get(out), opLocalSet), p.local)
	p.outside = false
	return out
}

// joined says that several ways lead here.
func (p *purse) joined() { p.outside, p.inside = false, true }

// spentByOthers says that only the global is right now.
func (p *purse) spentByOthers() { p.outside, p.inside = true, false }
