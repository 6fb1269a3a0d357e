package wasm

import "fmt"

// MaxSize is the size in bytes of the largest module that should be read at all.
const MaxSize = 16 << 20

// What [Module.Over] takes. Each bound is a few times what compilers were seen to
// make, and small enough that a module at all of them compiles in seconds: the
// compiler's time grows faster than the number of blocks in a function and its size.
const (
	maxTypes     = 10_000
	maxSignature = 100 // parameters, and results, of one function
	maxImports   = 200
	maxExports   = 1_000
	maxGlobals   = 10_000
	maxTables    = 8
	maxEntries   = 65_536 // of all tables
	maxFunctions = 50_000
	maxBody      = 128 << 10 // bytes
	maxLocals    = 1_000
	maxDepth     = 2_000
	maxBlocks    = 5_000
	maxValues    = 500_000    // blocks × locals of one function
	maxPassed    = 1_000_000  // of calls, blocks and branches of one function
	maxEffort    = 20_000_000 // of all functions, as Body.Effort counts it
)

// Over lists why m could cost its compiler or its host more than a plugin may,
// each with the bound that it exceeds. It is empty for a module that may be
// compiled. memoryPages bounds the memory that a module starts with.
func (m *Module) Over(memoryPages uint32) []string {
	o := &over{}
	o.count("bytes", m.size, MaxSize)
	o.count("types", len(m.types), maxTypes)
	o.count("imports", len(m.Imports), maxImports)
	o.count("exports", len(m.Exports), maxExports)
	o.count("globals", len(m.globals), maxGlobals)
	o.count("tables", len(m.Tables), maxTables)
	o.count("functions", len(m.functions), maxFunctions)
	for _, t := range m.types {
		o.count("parameters or results of one function", max(len(t.Params), len(t.Results)), maxSignature)
	}
	entries := 0
	for _, t := range m.Tables {
		entries += int(t.Min)
	}
	o.count("table entries", entries, maxEntries)
	for _, mem := range m.Memories {
		o.count("pages of memory", int(mem.Min), int(memoryPages))
	}
	o.bodies(m.Bodies)
	return o.found
}

type over struct {
	found []string
	last  string
}

// count reports each sort of thing once.
func (o *over) count(what string, n, most int) {
	if n > most && what != o.last {
		o.found = append(o.found, fmt.Sprintf("%d %s, at most %d are taken", n, what, most))
		o.last = what
	}
}

func (o *over) bodies(bodies []Body) {
	var most Body
	values, passed, effort := 0, 0, 0
	for _, b := range bodies {
		most.Size, most.Locals = max(most.Size, b.Size), max(most.Locals, b.Locals)
		most.Depth, most.Blocks = max(most.Depth, b.Depth), max(most.Blocks, b.Blocks)
		values, passed = max(values, b.Blocks*b.Locals), max(passed, b.Values)
		effort += b.Effort()
	}
	o.count("bytes of code in one function", most.Size, maxBody)
	o.count("locals in one function", most.Locals, maxLocals)
	o.count("nested blocks", most.Depth, maxDepth)
	o.count("blocks in one function", most.Blocks, maxBlocks)
	o.count("blocks × locals in one function", values, maxValues)
	o.count("values passed on in one function", passed, maxPassed)
	o.count("units of effort for the compiler", effort, maxEffort)
}
