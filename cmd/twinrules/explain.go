package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/query"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/rules"
)

// explainFlags are the flags of explain.
type explainFlags struct {
	source sourceFlags
	state  stateFlags
	module string
	file   string
	format string
}

func newExplain(env *environment) *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain DEVICE[/MODULE] [PACK]",
		Short: "Say of one device why each rule wants something of it, or does not",
		Example: "  twinrules explain reefer-0007 rules/ --snapshot fleet.ndjson.zst\n" +
			"  az iot hub device-twin show -n HUB -d reefer-0007 | twinrules explain rules/ --twin -",
		Args: cobra.RangeArgs(0, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.format != "text" && f.format != "json" {
				return usagef("unknown format %q: it is one of text, json", f.format)
			}
			if f.file != "" {
				return env.explainFile(cmd.Context(), args, &f)
			}
			return env.explainDevice(cmd.Context(), args, &f)
		},
	}
	f.source.add(cmd)
	f.state.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.module, "module", "", "explain this module of the device")
	flags.StringVar(&f.file, "twin", "", "explain the twin in this JSON file, - for the standard input, in place of a device of a fleet")
	flags.StringVarP(&f.format, "output", "o", "text", "format of the result: text, json")
	cmd.MarkFlagsMutuallyExclusive("twin", "hub", "snapshot", "demo")
	return cmd
}

// explainDevice explains a twin of a fleet.
func (env *environment) explainDevice(ctx context.Context, args []string, f *explainFlags) error {
	if len(args) == 0 {
		return usagef("which device? give its id, or a twin with --twin FILE")
	}
	ref := twin.Ref{Device: args[0], Module: f.module}
	if device, module, ok := strings.Cut(args[0], "/"); ok {
		if f.module != "" || twin.CheckID(module) != nil {
			return usagef("%q is no DEVICE/MODULE", args[0])
		}
		ref = twin.Ref{Device: device, Module: module}
	}
	return env.with(ctx, args[1:], &f.source, &f.state, func(program *compiled, fleet *fleet) error {
		t, err := fleet.twin(ctx, ref)
		if err != nil {
			return err
		}
		return env.explainTwin(ctx, program, fleet, f, t)
	})
}

// explainFile explains a twin that stands in a file. Which configurations of
// others write to it is not known then.
func (env *environment) explainFile(ctx context.Context, args []string, f *explainFlags) (err error) {
	if len(args) > 1 {
		return usagef("with --twin the only argument is the pack")
	}
	now := env.now().UTC()
	if f.source.now != "" {
		if now, err = time.Parse(time.RFC3339, f.source.now); err != nil {
			return usagef("--now: %q is not a time such as 2026-11-21T06:00:00Z", f.source.now)
		}
	}
	t, err := env.readTwin(f.file)
	if err != nil {
		return fmt.Errorf("read twin: %w", err)
	}
	program, err := openPack(ctx, packPath(args))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, program.Close(ctx)) }()
	at := rules.Moment{Now: now}
	return env.writeExplained(f.format, explained{twin: t, list: program.Explain(ctx, t, at), now: at.Now})
}

// maxTwin is more than any twin has, in bytes: 8 KiB of tags and 32 KiB of each
// sort of properties, with metadata of several times that.
const maxTwin = 4 << 20

func (env *environment) readTwin(path string) (*twin.Twin, error) {
	in := env.stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	data, err := io.ReadAll(io.LimitReader(in, maxTwin+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxTwin {
		return nil, fmt.Errorf("%s has more than %d bytes", path, maxTwin)
	}
	return twin.Parse(data)
}

// explainTwin says why each rule wants something of t, or does not, and which
// configurations of others write there, too.
func (env *environment) explainTwin(ctx context.Context, program *compiled, fleet *fleet, f *explainFlags, t *twin.Twin) error {
	at := fleet.moment()
	if fleet.writer != nil {
		past, err := f.state.remember(env, fleet.hub, program.Pack)
		if err != nil {
			return err
		}
		at.Memory = past.memory
	}
	foreign, err := foreignWriters(ctx, program, fleet)
	if err != nil {
		return err
	}
	x := explained{twin: t, list: program.Explain(ctx, t, at), foreign: foreign, now: at.Now, hub: at.Hub}
	if x.bounds, err = env.waveBounds(ctx, program, fleet, x.list); err != nil {
		return err
	}
	return env.writeExplained(f.format, x)
}

// An explained is a twin with what the rules make of it.
type explained struct {
	twin    *twin.Twin
	list    []rules.Explanation
	foreign []*rules.Foreign
	now     time.Time
	hub     string                   // "" where it is not known
	bounds  map[string][]rules.Bound // of the waves of rollouts, where they are known
}

func (env *environment) writeExplained(format string, e explained) error {
	if format == "json" {
		return writeExplanationJSON(env.stdout, e)
	}
	var b strings.Builder
	writeExplanation(&b, e)
	_, err := io.WriteString(env.stdout, b.String())
	return err
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

func writeExplanation(w io.Writer, x explained) {
	t, list, foreign := x.twin, x.list, x.foreign
	fmt.Fprintf(w, "%s   version %d   %s\n", t.Ref, t.Version, t.Status)
	for _, e := range list {
		fmt.Fprintf(w, "\n  %s %s   %s\n", explanationSign(e), e.Rule.ID, e.Rule.Pos)
		writeWhy(w, e)
		fmt.Fprintf(w, "      so        %s\n", conclusion(e))
		for _, l := range e.Changes {
			fmt.Fprintf(w, "                %s\n", changeLine(t, l))
		}
		writeRivals(w, e)
		writeClaims(w, t, e, foreign)
		x.writeStanding(w, e)
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
	case e.Warned():
		return "?"
	case e.Leaving && len(e.Changes) > 0:
		return "←"
	case e.Matched && len(e.Changes) == 0:
		return "="
	case e.Matched:
		return "✓"
	}
	return "✗"
}

// afterFuel says what a plugin had used when it failed; "" for another error.
func afterFuel(err error) string {
	if failed, ok := errors.AsType[*plugins.Error](err); ok {
		return fmt.Sprintf(", after %d units of fuel", failed.Fuel)
	}
	return ""
}

func conclusion(e rules.Explanation) string {
	switch {
	case e.Err != nil:
		return "the rule cannot judge it: " + rules.Excerpt(e.Err.Error(), 300) + afterFuel(e.Err)
	case e.Excused != nil:
		return fmt.Sprintf("its plugin failed, and onError: %s leaves the twin as it is: %s%s", e.Rule.Plugin.OnError, rules.Excerpt(e.Excused.Error(), 300), afterFuel(e.Excused))
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
