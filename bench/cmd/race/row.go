package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// A row is one engine on some cores.
type row struct {
	name  string
	args  []string
	cores int
	slow  bool     // runs in the first round only
	env   []string // besides GOMAXPROCS
	// answer says what the row found, given what it printed; nil for what only
	// counts line ends.
	answer func(stdout []byte) (*answer, error)
	// bars are the least ratios to the first row, by rules; nil for none.
	bars map[int]float64
	skip string // why it does not run
}

// rows lists the competitors. The first is what the others are measured by.
func (r *race) rows() []*row {
	plain, packed := r.file(r.fleet), r.file(r.fleet+".zst")
	return []*row{
		r.twinrules("twinrules", plain, 1), r.twinrules("twinrules", plain, 2),
		r.twinrules("twinrules .zst", packed, 1), r.twinrules("twinrules .zst", packed, 2),
		r.peer("typed", "goccy struct + Go by hand †", plain, false, map[int]float64{10: 1.3, 50: 1.3, 200: 1.3}),
		r.duckdb(plain, 1, map[int]float64{10: 2, 50: 2, 200: 2}), r.duckdb(plain, 2, nil),
		r.node(plain),
		r.peer("sonic", "sonic + expr VM", plain, true, nil),
		r.peer("naive", "encoding/json + expr.Run", plain, true, map[int]float64{10: 25, 50: 25, 200: 34}),
		r.peer("cel", "encoding/json + cel-go", plain, true, map[int]float64{10: 20, 50: 20, 200: 20}),
		r.peer("opa", "OPA rego †", plain, true, map[int]float64{10: 60, 50: 60, 200: 100}),
		r.jq(plain),
		{name: "count line ends (ceiling)", cores: 1, args: []string{r.file("lines"), plain}},
	}
}

func (r *race) file(name string) string { return filepath.Join(r.dir, name) }

func (r *race) pack(name string) string {
	return filepath.Join(r.dir, fmt.Sprintf("rules-%d", r.rules), name)
}

func (r *race) twinrules(name, fleet string, cores int) *row {
	plan := r.file("plan.twp")
	return &row{
		name: name, cores: cores, answer: func([]byte) (*answer, error) {
			return r.ask("-rules", strconv.Itoa(r.rules), "-plan", plan)
		},
		args: []string{r.file("twinrules"), "plan", r.pack("pack.yaml"), "--snapshot", fleet, "--out", plan},
	}
}

// peer is an engine of package peer. Those that write patches leave them in a
// file, which is read when the clock has stopped.
func (r *race) peer(engine, name, fleet string, slow bool, bars map[int]float64) *row {
	patches := r.file("patches.ndjson")
	return &row{
		name: name, cores: 1, slow: slow, bars: bars,
		args:   []string{r.file("peer"), "-engine", engine, "-rules", strconv.Itoa(r.rules), "-out", patches, fleet},
		answer: func(stdout []byte) (*answer, error) { return r.withPatches(stdout, patches) },
	}
}

func (r *race) node(fleet string) *row {
	w := &row{name: "Node JSON.parse †", cores: 1, answer: parse, args: []string{"node", filepath.Join(r.programs, "node.cjs"), r.pack("pack.cjs"), fleet}}
	w.needs("node")
	return w
}

func (r *race) duckdb(fleet string, threads int, bars map[int]float64) *row {
	modules := r.file("node_modules")
	w := &row{
		name: "DuckDB read_json †", cores: threads, answer: parse, bars: bars, env: []string{"NODE_PATH=" + modules},
		args: []string{"node", filepath.Join(r.programs, "duckdb.cjs"), r.pack("pack.sql"), fleet, strconv.Itoa(threads)},
	}
	w.needs("node")
	if _, err := os.Stat(filepath.Join(modules, "@duckdb", "node-api")); err != nil && w.skip == "" {
		w.skip = "the package @duckdb/node-api is not in " + modules
	}
	return w
}

func (r *race) jq(fleet string) *row {
	w := &row{name: "jq †", cores: 1, slow: true, answer: r.countNumbers, args: []string{"jq", "-c", "-f", r.pack("pack.jq"), fleet}}
	w.needs("jq")
	return w
}

func (w *row) needs(program string) {
	if _, err := exec.LookPath(program); err != nil {
		w.skip = program + " is not installed"
	}
}
