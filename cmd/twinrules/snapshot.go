package main

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/hub/snapshot"
	"github.com/twinrules/twinrules/hub/twin"
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

// pullFlags say what is recorded, how and where.
type pullFlags struct {
	source sourceFlags
	state  stateFlags
	export exportFlags
	via    string
	out    string
}

func newSnapshotPull(env *environment) *cobra.Command {
	var f pullFlags
	cmd := &cobra.Command{
		Use:   "pull",
		Short: "Record every twin and configuration of a hub in a file",
		Long: `pull records every twin and configuration of a hub in a file, from which plan, diff and explain read without
a hub.

By default it reads twins by queries, of which a small hub takes 20 pages of 100 twins a minute. --via export
lets the hub write all twins into a blob in one go, which costs it nothing of that: the hub needs the role
Storage Blob Data Contributor on the container, and who runs this Storage Blob Data Reader and jobs/write. An
export does not tell connection states, last activities and twin versions.`,
		Example: `  twinrules snapshot pull --hub contoso.azure-devices.net --out fleet.ndjson.zst
  twinrules snapshot pull --hub contoso.azure-devices.net --out fleet.ndjson.zst \
    --via export --container https://contoso.blob.core.windows.net/exports`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), env) },
	}
	f.source.add(cmd)
	f.state.add(cmd)
	f.export.add(cmd)
	cmd.Flags().StringVar(&f.via, "via", "query", "how twins are read: query or export")
	cmd.Flags().StringVar(&f.out, "out", "", "the file to write")
	return cmd
}

func (f *pullFlags) run(ctx context.Context, env *environment) error {
	if f.out == "" {
		return usagef("where to? give --out FILE; a name ending in .zst is compressed")
	}
	record := f.byQuery
	switch f.via {
	case "export":
		record = f.byExport
	case "query":
		if f.export != (exportFlags{blob: f.export.blob}) {
			return usagef("--container, --job and --hub-identity are for --via export")
		}
	default:
		return usagef("--via: %q is neither query nor export", f.via)
	}
	h, err := record(ctx, env)
	if err != nil {
		return err
	}
	configurations := plural(h.Configurations, "configuration")
	if h.ConfigurationsUnread {
		configurations = "no configuration"
	}
	fmt.Fprintf(env.stderr, "twinrules: %s, %s of %s in %s\n", plural(h.Twins, "twin"), configurations, h.Hub, f.out)
	return nil
}

func (f *pullFlags) byQuery(ctx context.Context, env *environment) (snapshot.Header, error) {
	fleet, err := f.source.open(ctx, env, &f.state)
	if err != nil {
		return snapshot.Header{}, err
	}
	defer fleet.Close()
	env.foretellPull(ctx, fleet)
	return env.record(ctx, fleet, f.out)
}

// wholeFleet are the queries that select every twin.
var wholeFleet = []string{"SELECT * FROM devices", "SELECT * FROM devices.modules"}

// record writes everything that f holds into a snapshot at path.
func (env *environment) record(ctx context.Context, f *fleet, path string) (snapshot.Header, error) {
	r, err := snapshot.Create(path, f.hub, f.now, wholeFleet)
	if err != nil {
		return snapshot.Header{}, err
	}
	err = env.recordTwins(r, allOf(ctx, f), f.size)
	if err == nil {
		err = env.recordConfigurations(r, f.Configurations(ctx))
	}
	if err != nil {
		return snapshot.Header{}, errors.Join(err, r.Abort())
	}
	return r.Finish(f.complete)
}

// allOf yields every twin of f.
func allOf(ctx context.Context, f *fleet) iter.Seq2[*twin.Twin, error] {
	return func(yield func(*twin.Twin, error) bool) {
		for _, query := range wholeFleet {
			for t, err := range f.Twins(ctx, query) {
				if !yield(t, err) || err != nil {
					return
				}
			}
		}
	}
}

// recordTwins records twins as they come, of which there are size, 0 when that is
// not known.
func (env *environment) recordTwins(r *snapshot.Recorder, twins iter.Seq2[*twin.Twin, error], size int) error {
	bar := env.startProgress("twins recorded", size)
	defer bar.end()
	n := 0
	for t, err := range twins {
		if err == nil {
			err = r.Twin(t)
		}
		if err != nil {
			return err
		}
		n++
		bar.set(n)
	}
	return nil
}

// recordConfigurations records configurations. Who may not read them records
// that, and says so: twins are worth it without.
func (env *environment) recordConfigurations(r *snapshot.Recorder, configurations iter.Seq2[*twin.Configuration, error]) error {
	for c, err := range configurations {
		if errors.Is(err, twin.ErrDenied) {
			r.WithoutConfigurations()
			fmt.Fprintf(env.stderr, "twinrules: configurations are not recorded: %s\n", explain(err))
			return nil
		}
		if err == nil {
			err = r.Configuration(c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
