package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/hub/snapshot"
)

func newSnapshot(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "snapshot",
		Short:   "Record a fleet, and look at a recorded one",
		Example: "  twinrules snapshot pull --hub contoso.azure-devices.net --out fleet.ndjson.zst",
	}
	cmd.AddCommand(newSnapshotPull(env), newSnapshotInspect(env))
	return cmd
}

func newSnapshotPull(env *environment) *cobra.Command {
	var (
		source sourceFlags
		state  stateFlags
		out    string
	)
	cmd := &cobra.Command{
		Use:     "pull",
		Short:   "Record every twin and configuration of a hub in a file",
		Example: "  twinrules snapshot pull --hub contoso.azure-devices.net --out fleet.ndjson.zst",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usagef("where to? give --out FILE; a name ending in .zst is compressed")
			}
			fleet, err := source.open(cmd.Context(), env, &state)
			if err != nil {
				return err
			}
			defer fleet.Close()
			h, err := env.record(cmd.Context(), fleet, out)
			if err != nil {
				return err
			}
			fmt.Fprintf(env.stderr, "twinrules: %s, %s of %s in %s\n", plural(h.Twins, "twin"), plural(h.Configurations, "configuration"), h.Hub, out)
			return nil
		},
	}
	source.add(cmd)
	state.add(cmd)
	cmd.Flags().StringVar(&out, "out", "", "the file to write")
	return cmd
}

// record writes everything that f holds into a snapshot at path.
func (env *environment) record(ctx context.Context, f *fleet, path string) (snapshot.Header, error) {
	queries := []string{"SELECT * FROM devices", "SELECT * FROM devices.modules"}
	r, err := snapshot.Create(path, f.hub, f.now, queries)
	if err != nil {
		return snapshot.Header{}, err
	}
	bar := env.startProgress("twins recorded", f.size)
	defer bar.end()
	if err := fill(ctx, r, f, queries, bar); err != nil {
		return snapshot.Header{}, errors.Join(err, r.Abort())
	}
	return r.Finish(f.complete)
}

func fill(ctx context.Context, r *snapshot.Recorder, f *fleet, queries []string, bar *progress) error {
	n := 0
	for _, query := range queries {
		for t, err := range f.Twins(ctx, query) {
			if err != nil {
				return err
			}
			if err := r.Twin(t); err != nil {
				return err
			}
			n++
			bar.set(n)
		}
	}
	for c, err := range f.Configurations(ctx) {
		if err != nil {
			return err
		}
		if err := r.Configuration(c); err != nil {
			return err
		}
	}
	return nil
}

func newSnapshotInspect(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:     "inspect FILE",
		Short:   "Read a recorded fleet to its end and say what it holds",
		Example: "  twinrules snapshot inspect fleet.ndjson.zst",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := snapshot.Open(args[0])
			if err != nil {
				return err
			}
			c, err := survey(cmd.Context(), s)
			if err != nil {
				return err
			}
			return env.printSurvey(args[0], s, c)
		},
	}
}

// A surveyed is what reading a snapshot to its end shows.
type surveyed struct {
	devices, modules, disabled, edge, bytes int
	withoutETag                             int
}

func survey(ctx context.Context, s *snapshot.Snapshot) (c surveyed, err error) {
	for t, err := range s.All(ctx) {
		if err != nil {
			return c, err
		}
		c.bytes += len(t.JSON())
		if t.Ref.Module != "" {
			c.modules++
		} else {
			c.devices++
		}
		if t.Status == "disabled" {
			c.disabled++
		}
		if t.Edge {
			c.edge++
		}
		if t.ETag == "" {
			c.withoutETag++
		}
	}
	return c, nil
}

func (env *environment) printSurvey(path string, s *snapshot.Snapshot, c surveyed) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	hub, taken, state := s.Hub, "unknown", "complete"
	if hub == "" {
		hub = "unknown"
	}
	if !s.TakenAt.IsZero() {
		taken = s.TakenAt.UTC().Format(time.RFC3339)
	}
	if !s.Complete {
		state = "incomplete"
	}
	for _, row := range [][2]string{
		{"format", s.Format}, {"hub", hub}, {"taken at", taken}, {"state", state},
		{"devices", fmt.Sprintf("%d, of these %d disabled and %d IoT Edge", c.devices, c.disabled, c.edge)},
		{"modules", fmt.Sprint(c.modules)}, {"configurations", fmt.Sprint(s.Header.Configurations)},
		{"size", fmt.Sprintf("%d bytes of twins in a file of %d", c.bytes, info.Size())},
		{"digest", s.Digest},
	} {
		if row[1] != "" {
			fmt.Fprintf(env.stdout, "%-16s%s\n", row[0], row[1])
		}
	}
	if c.withoutETag > 0 {
		fmt.Fprintf(env.stdout, "%-16s%s without an etag: a plan of them is applied after reading each twin again\n", "note", plural(c.withoutETag, "twin"))
	}
	return nil
}
