package hubtest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/twinrules/twinrules/hub/blob"
	"github.com/twinrules/twinrules/hub/blob/blobtest"
	"github.com/twinrules/twinrules/hub/credential"
	"github.com/twinrules/twinrules/hub/emulator"
)

// nodeModules returns where npm has installed Microsoft's service client.
func nodeModules(t *testing.T) string {
	t.Helper()
	modules := os.Getenv(blobtest.NodeModules)
	if modules == "" {
		t.Skip(blobtest.NodeModules + " is not set: azure-iothub is not installed")
	}
	return modules
}

// TestNode drives the emulator with azure-iothub, Microsoft's client for Node,
// as it is, signed in with a shared access key and with a token of Entra that
// @azure/identity got. Exports go to a folder, and to a real blob service.
func TestNode(t *testing.T) {
	modules := nodeModules(t)
	for _, how := range []string{"sas", "entra"} {
		t.Run(how+" and a folder", func(t *testing.T) {
			t.Parallel()
			e := startHub(t, &emulator.Options{Containers: emulator.Folders(t.TempDir())})
			drive(t, e, modules, how, "everything", 18, "https://contoso.blob.core.windows.net/exports")
		})
		t.Run(how+" and Azurite", func(t *testing.T) {
			t.Parallel()
			a := blobtest.Start(t, storageToken(t, startHub(t, nil)), "exports") // which takes tokens of any authority
			e := startHub(t, &emulator.Options{Containers: func(_ context.Context, at *emulator.ContainerAddress) (emulator.Container, error) {
				c, err := blob.NewContainer(at.URI, blob.Credential(at.Token), &blob.Options{RootCAs: a.CertPool()})
				return stored{c}, err
			}})
			drive(t, e, modules, how, "everything", 18, a.URL+"/exports")
		})
	}
}

// stored is a container of a blob service.
type stored struct{ container *blob.Container }

func (s stored) ReadBlob(ctx context.Context, name string) (io.ReadCloser, error) {
	return s.container.Open(ctx, name)
}

func (s stored) WriteBlob(ctx context.Context, name string, r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return s.container.Put(ctx, name, bytes.NewReader(data))
}

// storageToken signs in for storage at the authority of an emulator.
func storageToken(t *testing.T, e *emulator.Emulator) func(context.Context) (string, error) {
	t.Helper()
	vars := map[string]string{"AZURE_CLIENT_SECRET": e.Secret()}
	cred, err := credential.New(credential.Config{
		Kinds: []string{"client-secret"}, TenantID: e.Tenant(), ClientID: e.Client(), Authority: e.Authority(), RootCAs: e.CertPool(),
	}, func(name string) (string, bool) { v, ok := vars[name]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	return func(ctx context.Context) (string, error) {
		token, err := cred.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{blob.Audience + "/.default"}})
		return token.Token, err
	}
}

// TestNodePolicies signs in with shared access policies that open less.
func TestNodePolicies(t *testing.T) {
	modules := nodeModules(t)
	for _, policy := range []string{"service", "registryRead"} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			drive(t, startHub(t, nil), modules, policy, "policies", 3, "")
		})
	}
}

// TestNodeFaults shows the client a free hub that has had enough, and one that is
// in trouble.
func TestNodeFaults(t *testing.T) {
	t.Parallel()
	fault := func(device string, f emulator.Fault) emulator.Fault {
		f.Path = "/devices/" + device
		return f
	}
	e := startHub(t, &emulator.Options{Tier: "F1", Backlog: time.Second, Faults: []emulator.Fault{
		fault("quota", emulator.Fault{Status: 403, Code: "IotHubQuotaExceeded"}),
		fault("suspended", emulator.Fault{Status: 403, Code: "IotHubSuspended"}),
		fault("broken", emulator.Fault{Status: 500}),
		fault("unavailable", emulator.Fault{Status: 503}),
		fault("slow", emulator.Fault{Status: 504}),
		fault("reset", emulator.Fault{Reset: true}),
	}})
	drive(t, e, nodeModules(t), "sas", "faults", 7, "")
}

func startHub(t *testing.T, o *emulator.Options) *emulator.Emulator {
	t.Helper()
	if o == nil {
		o = &emulator.Options{}
	}
	o.Devices = 5
	e, err := emulator.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// drive runs a list of steps, of which there are so many.
func drive(t *testing.T, e *emulator.Emulator, modules, how, list string, steps int, container string) {
	t.Helper()
	dir := t.TempDir()
	if _, err := e.WriteReady(dir); err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("testdata/node/drive.js")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", script, filepath.Join(dir, "ready.json"), how, list, prompt(t, e), container)
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules, "NODE_EXTRA_CA_CERTS="+filepath.Join(dir, "ca.pem"))
	if how != "sas" && how != "entra" {
		cmd.Env = append(cmd.Env, "POLICY="+e.ConnectionStringOf(how))
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	n := 0
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); n++ {
		var line struct{ Step, Error string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("%v: %s", err, lines.Text())
		}
		t.Run(line.Step, func(t *testing.T) {
			if line.Error != "" {
				t.Error(line.Error)
			}
		})
	}
	if n != steps {
		t.Errorf("%d steps, there are %d", n, steps)
	}
}

// prompt returns a fake device that does what it is told.
func prompt(t *testing.T, e *emulator.Emulator) string {
	t.Helper()
	for d := range e.Twins() {
		if e.BehaviourOf(d.Ref.Device) == emulator.Prompt {
			return d.Ref.Device
		}
	}
	t.Fatal("no device is prompt")
	return ""
}
