package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/query"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

func newExplain(env *environment) *cobra.Command {
	var (
		source sourceFlags
		state  stateFlags
		module string
	)
	cmd := &cobra.Command{
		Use:     "explain DEVICE [PACK]",
		Short:   "Say of one device why each rule wants something of it, or does not",
		Example: "  twinrules explain reefer-0007 rules/ --snapshot fleet.ndjson.zst",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return env.with(ctx, args[1:], &source, &state, func(program *compiled, fleet *fleet) error {
				t, err := fleet.twin(ctx, twin.Ref{Device: args[0], Module: module})
				if err != nil {
					return err
				}
				writeExplanation(env.stdout, t, program.Explain(ctx, t, fleet.moment()))
				return nil
			})
		},
	}
	source.add(cmd)
	state.add(cmd)
	cmd.Flags().StringVar(&module, "module", "", "explain this module of the device")
	return cmd
}

// twin returns one twin of the fleet: from a hub as it is now, from a snapshot
// as it was recorded.
func (f *fleet) twin(ctx context.Context, ref twin.Ref) (*twin.Twin, error) {
	if err := twin.CheckID(ref.Device); err != nil {
		return nil, usagef("%q is no device id: %v", ref.Device, err)
	}
	if f.writer != nil {
		return f.writer.Twin(ctx, ref)
	}
	return findTwin(ctx, f.Source, ref)
}

func findTwin(ctx context.Context, src engine.Source, ref twin.Ref) (*twin.Twin, error) {
	collection := "devices"
	if ref.Module != "" {
		collection = "devices.modules"
	}
	where := query.Binary{Op: "=", Left: query.Path{"deviceId"}, Right: query.String(ref.Device)}
	for t, err := range src.Twins(ctx, "SELECT * FROM "+collection+" WHERE "+where.String()) {
		if err != nil {
			return nil, err
		}
		if t.Ref == ref {
			return t, nil
		}
	}
	return nil, fmt.Errorf("%s is not in this snapshot", ref)
}

func writeExplanation(w io.Writer, t *twin.Twin, list []rules.Explanation) {
	fmt.Fprintf(w, "%s   version %d   %s\n", t.Ref, t.Version, t.Status)
	for _, e := range list {
		fmt.Fprintf(w, "\n  %s %s   %s\n", explanationSign(e), e.Rule.ID, e.Rule.Pos)
		writeTerms(w, "selector", e.Selector)
		writeTerms(w, "when", e.When)
		if len(e.Facts) > 0 {
			fmt.Fprintf(w, "      plugin    %s\n", rules.Excerpt(string(twin.Encode(e.Facts)), 200))
		}
		fmt.Fprintf(w, "      so        %s\n", conclusion(e))
		for _, l := range e.Changes {
			fmt.Fprintf(w, "                %s\n", changeLine(t, l))
		}
	}
	if len(list) == 0 {
		fmt.Fprintln(w, "\n  no rule of the pack is about such a document")
	}
}

func explanationSign(e rules.Explanation) string {
	switch {
	case e.Err != nil:
		return "!"
	case e.Matched && len(e.Changes) == 0:
		return "="
	case e.Matched:
		return "✓"
	}
	return "✗"
}

func conclusion(e rules.Explanation) string {
	switch {
	case e.Err != nil:
		return "the rule cannot judge it: " + rules.Excerpt(e.Err.Error(), 300)
	case !e.Selected:
		return "it is not in the rule's population"
	case !e.Matched:
		return "the condition does not hold"
	case e.Rule.Configuration != nil:
		return "the hub is to make it so by a configuration"
	case len(e.Changes) == 0:
		return "it matches, and is as the rule wants it already"
	case e.Rule.Mode == rules.Audit:
		return "it matches; the rule is in mode audit and would set"
	}
	return "it matches, and the rule wants"
}

// writeTerms shows the parts of a condition that must all hold, and what each
// looked at.
func writeTerms(w io.Writer, label string, terms []rules.Term) {
	for i, term := range terms {
		head := label
		if i > 0 {
			head = "and"
		}
		answer := "true"
		switch {
		case term.Err != nil:
			answer = "error"
		case !term.Holds:
			answer = "false"
		}
		fmt.Fprintf(w, "      %-9s %s   → %s\n", head, rules.Excerpt(strings.Join(strings.Fields(term.Text), " "), 200), answer)
		for _, r := range term.Reads {
			fmt.Fprintf(w, "                %s = %s\n", r.Path, valueText(r.Value))
		}
	}
}

func valueText(v any) string {
	if v == nil {
		return "(absent)"
	}
	return rules.Excerpt(string(twin.Encode(v)), 120)
}

func changeLine(t *twin.Twin, l twin.Leaf) string {
	o, _ := t.Section(l.Section)
	before, _ := o.Lookup(l.Path...)
	return fmt.Sprintf("%s   %s → %s", rules.PathString(append([]string{l.Section}, l.Path...)), valueText(before), valueText(l.Value))
}
