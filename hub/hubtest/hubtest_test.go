package hubtest_test

import (
	"context"
	"iter"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/credential"
	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/hubtest"
	"github.com/twinrules/twinrules/hub/twin"
)

// ids of the emulator's devices: every character that an id may have.
var ids = []string{"pump-7", "d#%?1", "a+b.c_d*e!f(g)h,i=j@k$l'm", "..", "%2E", "a:b"}

var module = twin.Ref{Device: "pump-7", Module: "meter%1"}

// TestEmulator runs every case on the emulator, once as it is and once with
// empty pages between the others.
func TestEmulator(t *testing.T) {
	for name, gaps := range map[string]bool{"plain": false, "empty pages": true} {
		t.Run(name, func(t *testing.T) {
			h := onEmulator(t, gaps)
			hubtest.Run(t, func(*testing.T) hubtest.Hub { return h })
		})
	}
}

func onEmulator(t *testing.T, gaps bool) hubtest.Hub {
	t.Helper()
	e, err := emulator.Start(t.Context(), &emulator.Options{Twins: fleet(t), EmptyPages: gaps})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	variables := map[string]string{
		"AZURE_AUTHORITY_HOST": e.Authority(), "AZURE_TENANT_ID": e.Tenant(),
		"AZURE_CLIENT_ID": e.Client(), "AZURE_CLIENT_SECRET": e.Secret(),
	}
	cred, err := credential.New(
		credential.Config{Kinds: []string{"client-secret"}, RootCAs: e.CertPool()},
		func(name string) (string, bool) { value, ok := variables[name]; return value, ok })
	if err != nil {
		t.Fatal(err)
	}
	client, err := hub.NewClient(e.HubAddr(), cred, &hub.ClientOptions{RootCAs: e.CertPool()})
	if err != nil {
		t.Fatal(err)
	}
	return hubtest.Hub{Client: client, Devices: ids, Module: module, Report: e.Report}
}

func fleet(t *testing.T) iter.Seq2[*twin.Twin, error] {
	return func(yield func(*twin.Twin, error) bool) {
		refs := []twin.Ref{module}
		for _, id := range ids {
			refs = append(refs, twin.Ref{Device: id})
		}
		for _, ref := range refs {
			doc := twin.Object{"deviceId": ref.Device}
			if ref.Module != "" {
				doc["moduleId"] = ref.Module
			}
			if !yield(twin.Parse(twin.Encode(doc))) {
				return
			}
		}
	}
}

// TestRealHub runs every case on the hub that TWINRULES_TEST_HUB names, signed
// in as the environment says. TWINRULES_TEST_DEVICES names three devices or
// more, with commas between, TWINRULES_TEST_MODULE a device/module. Their tags
// and desired properties are lost.
func TestRealHub(t *testing.T) {
	host := os.Getenv("TWINRULES_TEST_HUB")
	if host == "" {
		t.Skip("TWINRULES_TEST_HUB names no hub")
	}
	cred, err := credential.New(credential.Config{}, os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	client, err := hub.NewClient(host, cred, nil)
	if err != nil {
		t.Fatal(err)
	}
	device, moduleID, _ := strings.Cut(os.Getenv("TWINRULES_TEST_MODULE"), "/")
	hubtest.Run(t, func(t *testing.T) hubtest.Hub {
		return hubtest.Hub{
			Client:  client,
			Devices: strings.Split(os.Getenv("TWINRULES_TEST_DEVICES"), ","),
			Module:  twin.Ref{Device: device, Module: moduleID},
			Indexed: func(ctx context.Context) error { return indexed(ctx, client, device) },
		}
	})
}

// indexed marks the twin of a device and queries until the mark is found.
func indexed(ctx context.Context, client *hub.Client, device string) error {
	mark := strconv.FormatInt(time.Now().UnixNano(), 36)
	if _, err := client.PatchTwin(ctx, twin.Ref{Device: device}, twin.Patch{Tags: twin.Object{"hubtestMark": mark}}, "*"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	tick := time.NewTicker(5 * time.Second) // 20 queries a minute are all that an S1 gives
	defer tick.Stop()
	for {
		for _, err := range client.Twins(ctx, "SELECT * FROM devices WHERE tags.hubtestMark = '"+mark+"'") {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
