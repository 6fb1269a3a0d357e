package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
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
				return env.explainTwin(ctx, program, fleet, &state, t)
			})
		},
	}
	source.add(cmd)
	state.add(cmd)
	cmd.Flags().StringVar(&module, "module", "", "explain this module of the device")
	return cmd
}

// explainTwin says why each rule wants something of t, or does not, and which
// configurations of others write there, too.
func (env *environment) explainTwin(ctx context.Context, program *compiled, fleet *fleet, state *stateFlags, t *twin.Twin) error {
	at := fleet.moment()
	if fleet.writer != nil {
		past, err := state.remember(env, fleet.hub, program.Pack)
		if err != nil {
			return err
		}
		at.Memory = past.memory
	}
	foreign, err := foreignWriters(ctx, program, fleet)
	if err != nil {
		return err
	}
	writeExplanation(env.stdout, t, program.Explain(ctx, t, at), foreign)
	return nil
}

// foreignWriters returns the configurations of others that write what the pack
// writes, none where they may not be read.
func foreignWriters(ctx context.Context, program *compiled, fleet *fleet) ([]*rules.Foreign, error) {
	var live []*twin.Configuration
	for c, err := range fleet.Configurations(ctx) {
		if errors.Is(err, twin.ErrDenied) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read configurations: %w", err)
		}
		live = append(live, c)
	}
	return program.Foreign(live), nil
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

func writeExplanation(w io.Writer, t *twin.Twin, list []rules.Explanation, foreign []*rules.Foreign) {
	fmt.Fprintf(w, "%s   version %d   %s\n", t.Ref, t.Version, t.Status)
	for _, e := range list {
		fmt.Fprintf(w, "\n  %s %s   %s\n", explanationSign(e), e.Rule.ID, e.Rule.Pos)
		writeTerms(w, "selector", e.Selector)
		writeTerms(w, "when", e.When)
		writeTerms(w, "until", e.Until)
		if len(e.Facts) > 0 {
			fmt.Fprintf(w, "      plugin    %s\n", rules.Excerpt(string(twin.Encode(e.Facts)), 200))
		}
		fmt.Fprintf(w, "      so        %s\n", conclusion(e))
		for _, l := range e.Changes {
			fmt.Fprintf(w, "                %s\n", changeLine(t, l))
		}
		writeClaims(w, t, e, foreign)
	}
	if len(list) == 0 {
		fmt.Fprintln(w, "\n  no rule of the pack is about such a document")
	}
}

// writeClaims names the configurations that write what the rule wants to.
func writeClaims(w io.Writer, t *twin.Twin, e rules.Explanation, foreign []*rules.Foreign) {
	for _, l := range e.Leaves {
		for _, f := range foreign {
			claim, ok := f.Claims(t, e.Rule, l)
			if !ok {
				continue
			}
			fmt.Fprintf(w, "      but       configuration %s writes %s, too: %s; allowForeign: [%s] accepts it\n",
				claim.Configuration, rules.PathString(append([]string{l.Section}, l.Path...)), valueText(claim.Value), claim.Configuration)
			if claim.Doubt != "" {
				fmt.Fprintf(w, "                perhaps: %s\n", claim.Doubt)
			}
		}
	}
}

func explanationSign(e rules.Explanation) string {
	switch {
	case e.Err != nil:
		return "!"
	case e.Leaving && len(e.Changes) > 0:
		return "←"
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
	case e.Leaving:
		return leaving(e)
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

// leaving says what becomes of the values of a rule that has come to its end.
func leaving(e rules.Explanation) string {
	switch {
	case e.Rule.OnExit == rules.KeepValues:
		return "the rule has come to its end, and its values stay"
	case len(e.Changes) == 0:
		return "the rule has come to its end, and nothing of it is left to take back"
	case slices.ContainsFunc(e.Why, func(why string) bool { return strings.Contains(why, "because") }):
		return "the rule has come to its end, and its values are removed: no run remembers what stood there before"
	}
	return "the rule has come to its end, and its values are " + strings.TrimPrefix(e.Why[0], "left: ")
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
