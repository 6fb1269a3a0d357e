package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/snapshot"
)

// emulatorFlags are what an emulator is told besides its options.
type emulatorFlags struct {
	emulator.Options
	fleet, dir, faults, role, log, events string
	containers                            string // a folder
	blob                                  bool
	blobCA                                string
}

func newEmulator(env *environment) *cobra.Command {
	var f emulatorFlags
	cmd := &cobra.Command{
		Use:   "emulator",
		Short: "Run a hub on loopback, for tests and for trying things",
		Long: `emulator serves the hub's service API and an Entra-shaped authority over TLS on loopback, until it gets a
signal. When ready it prints one JSON line and has written the same to DIR/ready.json: the address, the
certificate authority, the tenant, a client and its secret. Another process uses it with standard variables:

  SSL_CERT_FILE=$ca AZURE_AUTHORITY_HOST=$authority AZURE_TENANT_ID=$tenant AZURE_CLIENT_ID=$client \
    AZURE_CLIENT_SECRET=$secret twinrules plan PACK --hub $hubAddr --credential client-secret`,
		Example: "  twinrules emulator --listen 127.0.0.1:18443 --fleet fleet.ndjson.zst --dir emu",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("seed") {
				f.Seed = rand.Uint64()
			}
			return f.run(cmd.Context(), env)
		},
	}
	f.add(cmd)
	return cmd
}

func (f *emulatorFlags) add(cmd *cobra.Command) {
	flags, opts := cmd.Flags(), &f.Options
	flags.StringVar(&opts.Listen, "listen", "127.0.0.1:18443", "address of the hub; port 0 picks a free one")
	flags.StringVar(&opts.HubName, "hub-name", "emu.azure-devices.net", "name that the hub goes by")
	flags.StringVar(&f.fleet, "fleet", "", "recorded fleet to begin with, in any format that snapshot inspect reads")
	flags.IntVar(&opts.Devices, "devices", 0, "how many devices live and report: "+behaviours()+"; made when there is no --fleet")
	flags.StringVar(&f.dir, "dir", "emulator", "folder of ready.json and ca.pem")
	flags.Uint64Var(&opts.Seed, "seed", 0, "decides every id and secret; who knows it knows them (default: drawn)")
	flags.StringVar(&opts.State, "state", "", "folder to keep the hub in, so that it is the same tomorrow (default: nothing is kept)")
	flags.StringVar(&opts.Tier, "tier", "", "F1, S1, S2 or S3: hold back and refuse what is more than it takes (default: nothing)")
	flags.IntVar(&opts.Units, "units", 1, "how many units of the tier")
	flags.DurationVar(&opts.IndexLag, "index-lag", 0, "how long queries may take to see a change, such as 90s")
	flags.BoolVar(&opts.StrictQuery, "strict-query", false, "refuse queries whose meaning on a hub is not known")
	flags.StringVar(&f.containers, "containers", "", "folder in which import and export jobs find their containers")
	flags.BoolVar(&f.blob, "blob", false, "let import and export jobs find their containers in the storage accounts that they name")
	flags.StringVar(&f.blobCA, "blob-ca", "", "PEM file of who may vouch for these accounts besides the system's, such as Azurite's certificate; turns --blob on")
	flags.StringVar(&f.role, "role", "data-contributor", "what the client may do: "+strings.Join(roleNames(), ", "))
	flags.StringVar(&f.faults, "faults", "", "file with a JSON list of faults to make")
	flags.StringVar(&f.log, "request-log", "", "file to append each request to, as a line of JSON")
	flags.StringVar(&f.events, "events", "", "file to append what the hub tells of twins and devices to, as lines of JSON")
	cmd.MarkFlagsMutuallyExclusive("containers", "blob")
	cmd.MarkFlagsMutuallyExclusive("containers", "blob-ca")
}

func (f *emulatorFlags) run(ctx context.Context, env *environment) error {
	o, err := emulatorOptions(ctx, f.Options, f.fleet, f.faults, f.role)
	if err != nil {
		return err
	}
	if err := f.openStorage(o); err != nil {
		return err
	}
	for _, l := range []struct {
		path string
		w    *io.Writer
	}{{f.log, &o.RequestLog}, {f.events, &o.Events}} {
		if l.path == "" {
			continue
		}
		file, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer file.Close()
		*l.w = file
	}
	return env.runEmulator(ctx, o, f.dir)
}

// openStorage says where import and export jobs find their containers.
func (f *emulatorFlags) openStorage(o *emulator.Options) error {
	if f.containers != "" {
		o.Containers = emulator.Folders(f.containers)
	}
	if !f.blob && f.blobCA == "" {
		return nil
	}
	roots, err := rootsOf("--blob-ca", f.blobCA)
	if err != nil {
		return err
	}
	o.Containers = storage(roots)
	return nil
}

// behaviours says how fake devices behave.
func behaviours() string {
	var list []string
	for _, b := range emulator.Behaviours {
		list = append(list, fmt.Sprintf("%d %% %s", b.Percent, b.Name))
	}
	return strings.Join(list, ", ")
}

func roleNames() (names []string) {
	for _, r := range emulator.Roles {
		names = append(names, r.Flag)
	}
	return names
}

// emulatorOptions reads what the flags name.
func emulatorOptions(ctx context.Context, o emulator.Options, fleet, faults, role string) (*emulator.Options, error) {
	found := false
	for _, r := range emulator.Roles {
		if r.Flag == role {
			o.Applications, found = []emulator.Application{{Roles: []*emulator.Role{r}}}, true
		}
	}
	if !found {
		return nil, usagef("--role: %q is none of %s", role, strings.Join(roleNames(), ", "))
	}
	if faults != "" {
		data, err := os.ReadFile(faults)
		if err != nil {
			return nil, err
		}
		if o.Faults, err = emulator.ReadFaults(data); err != nil {
			return nil, err
		}
	}
	if fleet == "" {
		return &o, nil
	}
	s, err := snapshot.Open(fleet)
	if err != nil {
		return nil, err
	}
	return &o, seedFrom(ctx, &o, s)
}

// seedFrom fills the emulator with a recorded fleet.
func seedFrom(ctx context.Context, o *emulator.Options, s *snapshot.Snapshot) error {
	o.Twins = s.All(ctx)
	if s.ConfigurationsUnread {
		return nil // it is a hub without those that nobody saw
	}
	for c, err := range s.Configurations(ctx) {
		if err != nil {
			return err
		}
		o.Configurations = append(o.Configurations, c)
	}
	return nil
}

func (env *environment) runEmulator(ctx context.Context, o *emulator.Options, dir string) error {
	e, err := emulator.Start(ctx, o)
	if err != nil {
		return err
	}
	ready, err := e.WriteReady(dir)
	if err != nil {
		return errors.Join(err, e.Close())
	}
	line, err := json.Marshal(ready)
	if err == nil {
		_, err = fmt.Fprintf(env.stdout, "%s\n", line)
	}
	if err != nil {
		return errors.Join(err, e.Close())
	}
	<-ctx.Done()
	return e.Close()
}
