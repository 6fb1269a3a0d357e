package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/estimate"
	"github.com/twinrules/twinrules/hub/query"
	"github.com/twinrules/twinrules/hub/snapshot"
	"github.com/twinrules/twinrules/rules"
)

// estimateFlags say whether a plan is only estimated, and what is assumed.
type estimateFlags struct {
	on      bool
	changes amount
	export  time.Duration
}

func (f *estimateFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.on, "estimate", false, "count twins, read none, and show what each way to read and to write would take (text or json)")
	flags.Var(&f.changes, "changes", "with --estimate: twins that will change, a number or a percentage of those that rules select (default: as many as last time)")
	flags.DurationVar(&f.export, "export-takes", 0, "with --estimate: how long an export of this hub takes, which no documentation tells")
}

// unused refuses assumptions that nothing is made of.
func (f *estimateFlags) unused() error {
	if f.changes.given != "" || f.export != 0 {
		return usagef("--changes and --export-takes are for --estimate")
	}
	return nil
}

// estimatePlan shows what a plan of a hub would take, and reads no twin.
func (env *environment) estimatePlan(ctx context.Context, args []string, source *sourceFlags, state *stateFlags, f *estimateFlags, output *outputFlags) error {
	show := map[string]func(io.Writer, estimateJSON) error{"text": writeEstimate, "json": writeEstimateJSON}[output.format]
	switch {
	case show == nil || len(output.files) > 0:
		return usagef("--estimate is shown on stdout, as text or json")
	case source.snapshot != "":
		return usagef("reading a snapshot costs a hub nothing: give --hub HOST or --demo")
	}
	if _, err := hub.NewPacer(&hub.PacerOptions{Tier: hub.Tier(source.tier)}); err != nil {
		return usagef("--tier: %w", err)
	}
	return env.with(ctx, args, source, state, func(program *compiled, fleet *fleet) error {
		e := &estimator{program: program, hub: countingHub{fleet.Source.(*hub.Client)}, flags: f,
			limits: estimate.Hub{Tier: hub.Tier(source.tier), Units: source.units, Latency: estimate.SeenLatency}}
		if err := e.count(ctx); err != nil {
			return err
		}
		if err := e.assume(env, state, fleet.hub); err != nil {
			return err
		}
		return show(env.stdout, e.document(fleet.hub))
	})
}

// An estimator finds out what an estimate is made from.
type estimator struct {
	program *compiled
	hub     countingHub
	flags   *estimateFlags
	limits  estimate.Hub
	fleet   estimate.Fleet
	changes estimate.Changes
	from    string // where the number of changes is from
}

// count asks the hub for numbers: of all devices, of those that rules select, and
// of those that a narrowed query would list.
func (e *estimator) count(ctx context.Context) error {
	devices, known := devicesOn(ctx, e.hub.Client)
	if !known {
		return fmt.Errorf("count devices: %s tells neither by its statistics nor by a query how many there are", e.hub.Host())
	}
	e.fleet = estimate.Fleet{Devices: devices, Selected: -1, Narrowed: -1, Export: e.flags.export, Unexported: e.unexported()}
	for _, l := range e.program.Listings(rules.ReadSelected) {
		if strings.Contains(l.Query, "FROM devices.modules") {
			e.fleet.Modules = true // which no hub was seen to count
			continue
		}
		if err := e.countListed(ctx, l, &e.fleet.Selected); err != nil {
			return err
		}
	}
	return e.countNarrowed(ctx)
}

// countNarrowed counts what a narrowed query would list, and the queries that
// count beside it.
func (e *estimator) countNarrowed(ctx context.Context) error {
	for _, l := range e.program.Listings(rules.ReadNarrowed) {
		if !l.Narrowed {
			continue
		}
		if err := e.countListed(ctx, l, &e.fleet.Narrowed); err != nil {
			return err
		}
		asked := map[string]bool{}
		for _, c := range l.Counts {
			asked[c.Query] = true
		}
		e.fleet.Counts = len(asked)
	}
	return nil
}

// countListed counts what a listing would list. Where the query that counts would
// be too long, that is taken for everybody.
func (e *estimator) countListed(ctx context.Context, l rules.Listing, n *int) (err error) {
	text := strings.Replace(l.Query, "SELECT *", "SELECT COUNT() AS n", 1)
	if len(text) > query.MaxLength {
		*n = e.fleet.Devices
		return nil
	}
	if *n, err = e.hub.Count(ctx, text); err != nil {
		return fmt.Errorf("count twins: %w", err)
	}
	return nil
}

// unexported returns the members of twins that rules read and an export lacks.
func (e *estimator) unexported() (list []string) {
	lacks := snapshot.ExportLacks()
	for _, a := range e.program.Access() {
		for _, p := range a.Reads {
			if a.Rule.Mode != rules.Off && slices.Contains(lacks, p[0]) {
				list = append(list, p[0])
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
