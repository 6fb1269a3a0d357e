package plugins

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"math"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/twinrules/twinrules/plugins/abi"
)

// Error numbers of WASI preview 1.
const (
	errnoSuccess = 0
	errnoBadFile = 8
	errnoFault   = 21
	errnoInvalid = 28
)

func succeed(_ *env, _ api.Module, stack []uint64) {
	stack[0] = errnoSuccess
}

// refuse answers that there is no such file, which is true of all of them.
func refuse(_ *env, _ api.Module, stack []uint64) { stack[0] = errnoBadFile }

// noStrings says that there are no arguments or environment variables.
func (e *env) noStrings(mod api.Module, stack []uint64) {
	count, size := uint32(stack[0]), uint32(stack[1])
	stack[0] = errno(mod.Memory().WriteUint32Le(count, 0) && mod.Memory().WriteUint32Le(size, 0))
}

func errno(done bool) uint64 {
	if done {
		return errnoSuccess
	}
	return errnoFault
}

func (e *env) clockResolution(mod api.Module, stack []uint64) {
	stack[0] = errno(mod.Memory().WriteUint64Le(uint32(stack[1]), 1))
}

// clockTime tells the time of the run on clock 0, and what has been slept on the
// others.
func (e *env) clockTime(mod api.Module, stack []uint64) {
	t := e.clock.Nanoseconds()
	if uint32(stack[0]) == 0 {
		t += e.now.UnixNano()
	}
	stack[0] = errno(mod.Memory().WriteUint64Le(uint32(stack[2]), uint64(t)))
}

func (e *env) randomBytes(mod api.Module, stack []uint64) {
	buffer, ok := e.bytes(mod, stack[0], stack[1])
	if ok = ok && e.charge(mod, itemCost+uint64(len(buffer))/3); ok {
		_, _ = e.source().Read(buffer) // never fails
	}
	stack[0] = errno(ok)
}

// maxVectors is how many pieces one write may have. Toolchains use two.
const maxVectors = 64

// write takes what is printed to standard output and error, and logs its lines.
func (e *env) write(mod api.Module, stack []uint64) {
	fd, vectors, count, result := uint32(stack[0]), stack[1], uint32(stack[2]), uint32(stack[3])
	if fd != 1 && fd != 2 {
		stack[0] = errnoBadFile
		return
	}
	if count > maxVectors {
		stack[0] = errnoInvalid
		return
	}
	list, ok := e.bytes(mod, vectors, uint64(count)*8)
	ok = ok && e.charge(mod, uint64(count)*itemCost)
	var total uint32
	for ; ok && len(list) > 0; list = list[8:] {
		var text []byte
		at, n := binary.LittleEndian.Uint32(list), binary.LittleEndian.Uint32(list[4:])
		if text, ok = e.bytes(mod, uint64(at), uint64(n)); ok {
			e.printed(fd, text)
			total += n
		}
	}
	stack[0] = errno(ok && mod.Memory().WriteUint32Le(result, total))
}

// printed keeps complete lines. Standard error ranks as a warning.
func (e *env) printed(fd uint32, text []byte) {
	e.level = slog.LevelInfo
	if fd == 2 {
		e.level = slog.LevelWarn
	}
	for len(text) > 0 && len(e.lines) < abi.MaxLines {
		line, rest, complete := bytes.Cut(text, []byte("\n"))
		if room := abi.MaxLine - len(e.print); len(line) > room {
			line = line[:room]
		}
		if e.print = append(e.print, line...); !complete {
			return
		}
		e.say(e.level, string(e.print))
		e.print, text = e.print[:0], rest
	}
}

// fileStatus says that the standard streams are character devices and that there
// are no other files.
func (e *env) fileStatus(mod api.Module, stack []uint64) {
	if uint32(stack[0]) > 2 {
		stack[0] = errnoBadFile
		return
	}
	status, ok := mod.Memory().Read(uint32(stack[1]), 24)
	if ok {
		clear(status)
		status[0] = 2
	}
	stack[0] = errno(ok)
}

// The sizes of what poll_oneoff reads and writes.
const (
	subscriptionSize = 48
	eventSize        = 32
	maxSubscriptions = 64
)

// poll sleeps, by moving the clock. Every subscription is answered at once: the
// clocks because they have moved, the files because there are none.
func (e *env) poll(mod api.Module, stack []uint64) {
	in, out, n, result := stack[0], stack[1], uint64(uint32(stack[2])), uint32(stack[3])
	if n == 0 || n > maxSubscriptions {
		stack[0] = errnoInvalid
		return
	}
	subscriptions, ok1 := e.bytes(mod, in, n*subscriptionSize)
	events, ok2 := e.bytes(mod, out, n*eventSize)
	if !ok1 || !ok2 || !e.charge(mod, n*itemCost) {
		stack[0] = errnoFault
		return
	}
	answers := make([]byte, 0, maxSubscriptions*eventSize) // the two may overlap
	for ; len(subscriptions) > 0; subscriptions = subscriptions[subscriptionSize:] {
		answers = e.answer(answers, subscriptions[:subscriptionSize])
	}
	copy(events, answers)
	stack[0] = errno(mod.Memory().WriteUint32Le(result, uint32(n)))
}

// answer appends the event for a subscription.
func (e *env) answer(events, s []byte) []byte {
	var event [eventSize]byte
	copy(event[:], s[:8]) // the caller's own mark
	kind := s[8]
	if event[10] = kind; kind != 0 {
		event[8] = errnoBadFile
		return append(events, event[:]...)
	}
	clock, until, absolute := binary.LittleEndian.Uint32(s[16:]), binary.LittleEndian.Uint64(s[24:]), s[40]&1 != 0
	e.sleep(clock, int64(min(until, math.MaxInt64)), absolute)
	return append(events, event[:]...)
}

// sleep moves the clock forwards, for at most a day, so that it cannot overflow.
func (e *env) sleep(clock uint32, until int64, absolute bool) {
	d := until
	if absolute {
		d -= e.clock.Nanoseconds()
		if clock == 0 {
			d -= e.now.UnixNano()
		}
	}
	e.clock = min(e.clock+time.Duration(max(0, min(d, int64(24*time.Hour)))), 365*24*time.Hour)
}
