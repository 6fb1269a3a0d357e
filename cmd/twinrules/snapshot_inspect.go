package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/hub/snapshot"
)

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
		{"modules", fmt.Sprint(c.modules)}, {"configurations", configurationsIn(s.Header)},
		{"missing", strings.Join(s.Missing, ", ")},
		{"size", fmt.Sprintf("%d bytes of twins in a file of %d", c.bytes, info.Size())},
		{"digest", s.Digest},
	} {
		if row[1] != "" {
			fmt.Fprintf(env.stdout, "%-16s%s\n", row[0], row[1])
		}
	}
	if len(s.Missing) > 0 {
		fmt.Fprintf(env.stdout, "%-16s%s\n", "note", "an export does not tell what is missing: rules that read it see nothing")
	}
	if c.withoutETag > 0 {
		fmt.Fprintf(env.stdout, "%-16s%s without an etag: a plan of them is applied after reading each twin again\n", "note", plural(c.withoutETag, "twin"))
	}
	return nil
}

// configurationsIn counts them, or says that nobody could.
func configurationsIn(h snapshot.Header) string {
	if h.ConfigurationsUnread {
		return "not read: no permission"
	}
	return fmt.Sprint(h.Configurations)
}
