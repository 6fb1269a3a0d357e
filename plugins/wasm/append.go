package wasm

import "encoding/binary"

func appendUnsigned(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }

func appendSigned(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func appendName(b []byte, name string) []byte {
	return append(appendUnsigned(b, uint64(len(name))), name...)
}

func appendSection(b []byte, id byte, content []byte) []byte {
	b = appendUnsigned(append(b, id), uint64(len(content)))
	return append(b, content...)
}

// AppendCustom returns a copy of module with a custom section called name at its
// end, in place of those of that name which it had. Its error is about module.
func AppendCustom(module []byte, name string, content []byte) ([]byte, error) {
	if _, err := Parse(module); err != nil {
		return nil, err
	}
	out := withoutCustom(module, name)
	return appendSection(out, customSection, append(appendName(nil, name), content...)), nil
}

// withoutCustom copies a module that has been parsed.
func withoutCustom(module []byte, name string) []byte {
	r := &reader{data: module, pos: len(header), end: len(module)}
	out := append([]byte(nil), header...)
	for r.more() {
		start := r.pos
		id := r.byte()
		size := r.u32()
		content := r.pos
		r.skip(uint64(size))
		next := r.pos
		if id == customSection {
			r.pos = content
			found := r.name()
			if r.pos = next; found == name {
				continue
			}
		}
		out = append(out, module[start:next]...)
	}
	return out
}
