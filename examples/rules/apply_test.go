package examples_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/journal"
	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/credential"
	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/snapshot"
)

// apply makes the changes of a story's plan on a hub that holds its fleet. Then
// nothing is left to do.
func (s story) apply(t *testing.T, one *engine.Plan) {
	client := signIn(t, start(t, s.fleet))
	first := plan(t, s.program, s.fleet, client, 4)
	if diff := cmp.Diff(changesIn(t, one), changesIn(t, first)); diff != "" {
		t.Errorf("changes on the snapshot and on the hub (-snapshot +hub):\n%s", diff)
	}
	receipt := apply(t, first, client)
	if n := receipt.Count(engine.Written); !receipt.Complete() || n != first.Changes.Len()+len(first.Configurations) {
		t.Errorf("%d written of %d: %+v", n, first.Changes.Len()+len(first.Configurations), receipt)
	}
	if again := plan(t, s.program, s.fleet, client, 4); !again.Empty() {
		t.Errorf("left to do: %+v %+v", again.Changes, again.Configurations)
	}
}

// TestChannels finds that the hub does what the rules of the firmware channel
// ask of it: the configuration of higher priority wins, and regions that are not
// managed are left alone.
func TestChannels(t *testing.T) {
	t.Parallel()
	p, s := compile(t, "firmware-channel"), openFleet(t, "firmware-channel/fleet.ndjson.zst")
	e := start(t, s)
	client := signIn(t, e)
	apply(t, plan(t, p, s, client, 4), client)
	e.Evaluate()
	want := map[any]any{"eu-north": "candidate", "eu-central": "stable", "eu-south": nil}
	seen := map[any]int{}
	for tw := range e.Twins() {
		if tags := tw.Tags(); tw.Ref.Module == "" && tags["kind"] == "gateway" {
			seen[tags["region"]]++
			if got, _ := tw.Desired().Lookup("firmware", "channel"); got != want[tags["region"]] {
				t.Errorf("%s in %v: got %v, want %v", tw.Ref, tags["region"], got, want[tags["region"]])
			}
		}
	}
	if len(seen) != len(want) {
		t.Errorf("got gateways in %v", seen)
	}
}

// start runs a hub with the fleet of a snapshot.
func start(t *testing.T, s *snapshot.Snapshot) *emulator.Emulator {
	t.Helper()
	o := &emulator.Options{HubName: s.Hub, Seed: 1, Twins: s.All(t.Context())}
	for c, err := range s.Configurations(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		o.Configurations = append(o.Configurations, c)
	}
	e, err := emulator.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// signIn opens the hub as any hub is opened: over TLS, with a token.
func signIn(t *testing.T, e *emulator.Emulator) *hub.Client {
	t.Helper()
	cred, err := credential.New(credential.Config{
		Kinds: []string{credential.ClientSecret.Name}, TenantID: e.Tenant(), ClientID: e.Client(),
		Authority: e.Authority(), RootCAs: e.CertPool(),
	}, func(string) (string, bool) { return e.Secret(), true })
	if err != nil {
		t.Fatal(err)
	}
	client, err := hub.NewClient(e.HubAddr(), cred, &hub.ClientOptions{RootCAs: e.CertPool()})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func apply(t *testing.T, p *engine.Plan, w engine.Writer) *engine.Receipt {
	t.Helper()
	digest, err := p.Digest()
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(t.TempDir(), journal.Begin{Plan: digest, Hub: p.Hub, At: p.TakenAt})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	receipt, err := engine.Apply(t.Context(), p, w, j, nil)
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

func changesIn(t *testing.T, p *engine.Plan) (list []engine.Change) {
	t.Helper()
	for c, err := range p.Changes.All() {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	return list
}
