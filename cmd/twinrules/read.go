package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/rules"
)

var _ engine.Counter = countingHub{}

// addRead adds the flag that says how much of a fleet is read, to commands that
// read a hub as it is.
func (f *planFlags) addRead(cmd *cobra.Command) {
	f.read = breadth(rules.ReadSelected)
	cmd.Flags().Var(&f.read, "read",
		"twins that are read: all, selected (by some selector), or narrowed (of these, what some when may concern; the rest is counted)")
}

// A breadth is a flag's [rules.Breadth].
type breadth rules.Breadth

// String returns the flag's value.
func (b *breadth) String() string { return string(*b) }

// Type names what the flag takes.
func (*breadth) Type() string { return "breadth" }

// Set takes one of [rules.Breadths].
func (b *breadth) Set(text string) error {
	if !slices.Contains(rules.Breadths, rules.Breadth(text)) {
		var names []string
		for _, known := range rules.Breadths {
			names = append(names, string(known))
		}
		return fmt.Errorf("%q is none of %s", text, strings.Join(names, ", "))
	}
	*b = breadth(text)
	return nil
}

// counting lets a hub be counted. A snapshot cannot be, on purpose: its file is
// read from end to end whatever is asked, so that narrowing would spare nothing.
func counting(s engine.Source) engine.Source {
	if c, ok := s.(*hub.Client); ok {
		return countingHub{c}
	}
	return s
}

// A countingHub is a hub that the engine may ask for numbers.
type countingHub struct{ *hub.Client }

// Count asks for the one row of a query for a number n.
func (h countingHub) Count(ctx context.Context, query string) (int, error) {
	n, err := numberIn(h.NewRegistryClient().Rows(ctx, query, nil))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", query, err)
	}
	return n, nil
}

// numberIn reads a single row, whose column n is a count.
func numberIn(rows iter.Seq2[json.RawMessage, error]) (int, error) {
	n := -1
	for row, err := range rows {
		if err != nil {
			return 0, err
		}
		var columns struct {
			N *int `json:"n"`
		}
		if err := json.Unmarshal(row, &columns); err != nil || columns.N == nil || *columns.N < 0 || n >= 0 {
			return 0, fmt.Errorf("the hub answers %s, which is no count", rules.Excerpt(string(row), 100))
		}
		n = *columns.N
	}
	if n < 0 {
		return 0, errors.New("the hub answers nothing")
	}
	return n, nil
}
