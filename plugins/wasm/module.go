package wasm

// A ValType is the type of a value, as the binary spells it.
type ValType byte

// The types of values.
const (
	I32       ValType = 0x7f
	I64       ValType = 0x7e
	F32       ValType = 0x7d
	F64       ValType = 0x7c
	V128      ValType = 0x7b
	FuncRef   ValType = 0x70
	ExternRef ValType = 0x6f
)

// A FuncType is the type of a function.
type FuncType struct{ Params, Results []ValType }

// values returns how many values such a function takes and leaves.
func (t FuncType) values() int { return len(t.Params) + len(t.Results) }

// A Kind says what an import or export is.
type Kind byte

// The kinds of imports and exports.
const (
	Function Kind = iota
	Table
	Memory
	Global
)

var kindNames = [...]string{"function", "table", "memory", "global"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown kind"
}

// An Import is something that a module wants from its host.
type Import struct {
	Module, Name string
	Kind         Kind
	Type         FuncType // of a function
}

// An Export is something that a module offers.
type Export struct {
	Name  string
	Kind  Kind
	Index uint32
	Type  FuncType // of a function
}

// Limits are the size of a memory in pages of 64 KiB, or of a table in entries.
type Limits struct {
	Min, Max uint32
	HasMax   bool
}

// A Custom is a custom section.
type Custom struct {
	Name string
	Data []byte
}

// A global is one that the module defines itself.
type global struct {
	Type    ValType
	Mutable bool
}

// A Module is what the bytes of a module say, as [Parse] found it. It is not
// changed after that.
type Module struct {
	Imports  []Import
	Exports  []Export
	Tables   []Limits // its own and imported ones
	Memories []Limits // its own and imported ones
	Customs  []Custom
	Bodies   []Body
	// Stateful names the instructions that change what cannot be put back between
	// two calls, such as "table.grow", in the order they were met.
	Stateful []string

	size        int
	types       []FuncType
	functions   []uint32 // types of the functions, imported ones first
	imported    int      // functions among them
	globals     []global // imported ones first
	globalText  []byte   // entries of the global section
	exportText  []byte   // entries of the export section
	exportNames map[string]bool
	declared    map[uint64]bool // functions that code may take references to
	start       int64           // the start function, -1 when there is none
	sections    [13][]byte
	present     [13]bool
}

// Export returns the export called name and whether there is one.
func (m *Module) Export(name string) (Export, bool) {
	for _, e := range m.Exports {
		if e.Name == name {
			return e, true
		}
	}
	return Export{}, false
}

// Custom returns the content of the only custom section called name. Its error
// is about a second one, because readers would disagree on which counts.
func (m *Module) Custom(name string) ([]byte, error) {
	var found []byte
	for _, c := range m.Customs {
		if c.Name != name {
			continue
		}
		if found != nil {
			return nil, &FormatError{Reason: "two custom sections called " + name}
		}
		found = c.Data[:len(c.Data):len(c.Data)]
		if found == nil {
			found = []byte{}
		}
	}
	return found, nil
}
