package peer

import (
	"bufio"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/bench/pack"
	"github.com/twinrules/twinrules/engine"
)

// writes counts the devices that an engine would write and sums up which device,
// at which etag, by which rules, what, whatever their order.
type writes struct {
	n   int
	sum uint64
}

func (w *writes) into(r *Result) *Result {
	r.Written, r.Digest = w.n, fmt.Sprintf("%016x", w.sum)
	return r
}

// add adds the write of one device.
func (w *writes) add(device, etag string, rules []string, patch map[string]any) error {
	text, err := json.Marshal(patch) // with its keys in order
	if err != nil {
		return err
	}
	slices.Sort(rules)
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\x00%s\x00%s\x00%s", device, etag, strings.Join(slices.Compact(rules), ","), text)
	w.n++
	w.sum += h.Sum64()
	return nil
}

// ReadPatches reads what [Run] wrote: how many devices, and the digest.
func ReadPatches(in io.Reader) (*Result, error) {
	w := &writes{}
	for d := json.NewDecoder(bufio.NewReaderSize(in, 1<<20)); ; {
		var c change
		err := d.Decode(&c)
		if err == io.EOF {
			return w.into(&Result{}), nil
		}
		if err == nil {
			err = w.add(c.Device, c.ETag, c.Rules, c.Patch)
		}
		if err != nil {
			return nil, fmt.Errorf("read patches: %w", err)
		}
	}
}

// ReadPlan reads a plan of twinrules as the result of an engine.
func ReadPlan(in io.Reader, rules []pack.Rule) (*Result, error) {
	p, err := engine.ReadPlan(in)
	if err != nil {
		return nil, err
	}
	if len(p.Rules) != len(rules) || p.Obstacle() != "" {
		return nil, fmt.Errorf("a plan of %d rules for a race of %d; what hinders it: %q", len(p.Rules), len(rules), p.Obstacle())
	}
	r, w := &Result{Devices: p.Fleet.Devices, Matched: make([]int, len(rules))}, &writes{}
	for _, c := range p.Rules {
		r.Matched[slices.IndexFunc(rules, func(rule pack.Rule) bool { return rule.ID == c.Rule })] = c.Matched
	}
	for c, err := range p.Changes.All() {
		if err != nil {
			return nil, err
		}
		if err := addChange(w, c); err != nil {
			return nil, err
		}
	}
	return w.into(r), nil
}

func addChange(w *writes, c engine.Change) error {
	patch, rules := map[string]any{}, map[string]bool{}
	for _, e := range c.Edits {
		path := append([]string{e.Section}, e.Path...)
		if e.Section == "desired" {
			path = append([]string{"properties"}, path...)
		}
		put(patch, path, e.After)
		for _, id := range e.Rules {
			rules[id] = true
		}
	}
	return w.add(c.Ref.Device, c.ETag, slices.Sorted(maps.Keys(rules)), patch)
}
