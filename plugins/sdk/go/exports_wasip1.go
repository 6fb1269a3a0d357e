package plugin

import (
	"errors"
	"unsafe"
)

//go:wasmexport twinrules_v1_alloc
func alloc(size uint32) uint32 {
	if uint32(cap(guest.input)) < size {
		guest.input = make([]byte, size)
	}
	return address(guest.input[:size])
}

//go:wasmexport twinrules_v1_init
func initialize(_, size uint32) uint64 {
	if guest.configure == nil {
		return place(appendError(nil, errors.New("the plugin does not call plugin.Main")))
	}
	// The judge may keep parts of its configuration, and the buffer is used again.
	config := append([]byte(nil), guest.input[:size]...)
	judge, err := guest.configure(ParseValue(config))
	if err != nil {
		return place(appendError(nil, err))
	}
	guest.judge = judge
	return 0
}

//go:wasmexport twinrules_v1_evaluate
func evaluate(_, size uint32) uint64 {
	out, err := answer(guest.judge, guest.input[:size])
	if err != nil {
		out = appendError(nil, err)
	}
	return place(out)
}

// place says where b is, and keeps it there until the next call.
func place(b []byte) uint64 {
	if len(b) == 0 {
		return 0
	}
	guest.output = b
	return uint64(address(b))<<32 | uint64(len(b))
}

func address(b []byte) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }
