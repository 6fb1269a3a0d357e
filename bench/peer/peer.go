// Package peer runs the engines of a race that are libraries for Go: each decodes
// the twins of a file in its own way and decides the rules in its own language.
//
// Start with [Run] and [Engines]. Engines that decode into maps also compare what
// rules want with what stands there, and write the patches; the others decide
// only. Programs that are no Go, twinrules itself among them, are run by cmd/race.
package peer

import (
	"bufio"
	"fmt"
	"io"

	"github.com/twinrules/twinrules/bench/pack"
)

// An Engine is one competitor.
type Engine struct {
	Name, Doc string
	// start prepares the rules. What it returns gets a twin's line and appends the
	// numbers of the rules that hold to hits; of a module's twin, and of what is no
	// twin, it returns nil and false. A document that it decoded into a map it
	// returns, for its patch.
	start func(rules []pack.Rule) (decide, error)
}

type decide func(line []byte, hits []int) (held []int, document map[string]any, device bool, err error)

// Engines lists the competitors.
func Engines() []*Engine {
	return []*Engine{
		{"naive", "encoding/json into maps, expr.Run for each rule, patches written", naive},
		{"sonic", "bytedance/sonic into maps, one expr VM, patches written", sonicExpr},
		{"cel", "encoding/json into maps, cel-go, patches written", celGo},
		{"opa", "OPA's own values, one prepared Rego query; decides only", opa},
		{"typed", "goccy/go-json into a struct, Go by hand; decides only", typed},
	}
}

// Find returns the engine of that name.
func Find(name string) (*Engine, error) {
	for _, e := range Engines() {
		if e.Name == name {
			return e, nil
		}
	}
	return nil, fmt.Errorf("no engine %q", name)
}

// A Result is what an engine found.
type Result struct {
	Devices int   `json:"devices"`
	Matched []int `json:"matched"` // devices, by rule
	Written int   `json:"written"` // devices with a patch; 0 of an engine that decides only
	// Digest is of what is written, as [ReadPatches] and [ReadPlan] find it.
	Digest string `json:"digest,omitempty"`
}

// Run decides every device of in and writes patches to out.
func Run(e *Engine, rules []pack.Rule, in io.Reader, out io.Writer) (*Result, error) {
	decide, err := e.start(rules)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", e.Name, err)
	}
	r := &runner{decide: decide, patches: newPatcher(rules, out), Result: Result{Matched: make([]int, len(rules))}}
	if err := r.lines(bufio.NewReaderSize(in, 1<<20)); err != nil {
		return nil, err
	}
	r.Written = r.patches.written
	return &r.Result, r.patches.flush()
}

type runner struct {
	Result
	decide  decide
	patches *patcher
	hits    []int
}

func (r *runner) lines(in *bufio.Reader) error {
	for n := 1; ; n++ {
		line, err := in.ReadSlice('\n')
		if err == io.EOF && len(line) == 0 {
			return nil
		}
		if err != nil && err != io.EOF {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if err := r.line(line); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
}

func (r *runner) line(line []byte) error {
	hits, document, device, err := r.decide(line, r.hits[:0])
	if err != nil || !device {
		return err
	}
	r.hits = hits
	r.Devices++
	for _, i := range hits {
		r.Matched[i]++
	}
	if document == nil || len(hits) == 0 {
		return nil
	}
	return r.patches.write(document, hits)
}
