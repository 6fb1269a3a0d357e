package wasm

const functionNames = 1 // the subsection of a name section

// names returns a name section with no more than the function names of the
// module's own, or nil when there are none, or when they are not written as they
// should be: names are a courtesy, and the compiler trusts their counts.
func (m *Module) names() []byte {
	for _, c := range m.Customs {
		if c.Name != "name" {
			continue
		}
		if text := subsection(c.Data, functionNames); wellNamed(text) {
			return appendSection(appendName(nil, c.Name), functionNames, text)
		}
		return nil
	}
	return nil
}

// subsection returns the content of the first subsection id of a name section.
func subsection(section []byte, id byte) []byte {
	r := reader{data: section, end: len(section)}
	for r.more() {
		found := r.byte()
		size := r.u32()
		start := r.pos
		if r.skip(uint64(size)); r.err == nil && found == id {
			return section[start:r.pos]
		}
	}
	return nil
}

// wellNamed reports whether text is a map from functions to names and no more.
func wellNamed(text []byte) bool {
	r := reader{data: text, end: len(text)}
	r.vector(func() { r.u32(); r.name() })
	return r.err == nil && r.pos == r.end
}
