package main

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/blob"
	"github.com/twinrules/twinrules/hub/blob/blobtest"
	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/snapshot"
	"github.com/twinrules/twinrules/hub/twin"
)

// motley is a fleet of all kinds of identities.
const motley = `{"id":"d1","status":"enabled","tags":{"site":"muc","n":1.50},"properties":{"desired":{"a":{"b":[1,{"c":null}]}},"reported":{"z":-0.0,"ü":"\u0000"}}}
{"id":"d1","moduleId":"m1","status":"enabled","tags":{"m":true},"properties":{"desired":{"x":12345678901234},"reported":{}}}
{"id":"d2","status":"disabled","statusReason":"spare","authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","secondaryThumbprint":"BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"}}}
{"id":"edge","status":"enabled","capabilities":{"iotEdge":true}}
{"id":"d#1%.:+_*?!(),=@$'","status":"enabled","tags":{"odd":1}}
`

// recorded returns the documents of a snapshot by their names, without the
// members that an export does not tell.
func recorded(t *testing.T, path string) map[string]string {
	t.Helper()
	s, err := snapshot.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]string{}
	for tw, err := range s.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		o, err := twin.DecodeObject(tw.JSON())
		if err != nil {
			t.Fatal(err)
		}
		for _, member := range snapshot.ExportLacks() {
			delete(o, member)
		}
		list[tw.Ref.String()] = string(twin.Encode(o))
	}
	return list
}

// account starts Azurite with a container called exports. Who makes the container
// has a token of another emulator than the one under test, which has to know
// Azurite's certificate when it starts; Azurite itself believes any.
func account(t *testing.T) *blobtest.Account {
	t.Helper()
	e, _, _ := loopback(t, &emulator.Options{})
	return blobtest.Start(t, func(ctx context.Context) (string, error) { return storageToken(ctx, e) }, "exports")
}

// storageToken signs in at the emulator's authority.
func storageToken(ctx context.Context, e *emulator.Emulator) (string, error) {
	client := e.HTTPClient()
	defer client.CloseIdleConnections()
	form := url.Values{
		"grant_type": {"client_credentials"}, "scope": {blob.Audience + "/.default"}, "client_id": {e.Client()}, "client_secret": {e.Secret()},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.Authority()+"/"+e.Tenant()+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	return answer.Token, json.NewDecoder(resp.Body).Decode(&answer)
}

// TestExportEqualsQuery records a fleet in both ways: equal but for what an export
// does not tell.
func TestExportEqualsQuery(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "fleet.txt"), []byte(motley), 0o644); err != nil {
		t.Fatal(err)
	}
	fleet, err := snapshot.Open(filepath.Join(dir, "fleet.txt"))
	if err != nil {
		t.Fatal(err)
	}
	accounts := newStorageServer(filepath.Join(dir, "blobs"))
	defer accounts.Close()
	e, _, env := loopback(t, &emulator.Options{Twins: fleet.All(t.Context()), Containers: accounts.containers()})
	if err := accounts.trust(env["SSL_CERT_FILE"]); err != nil {
		t.Fatal(err)
	}
	sameEitherWay(t, dir, env, e.HubAddr(), accounts.container("exports"))
}

// TestExportToAzurite is the same by way of a real blob service, to which the
// command's emulator goes over TLS with tokens of its own authority.
func TestExportToAzurite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "fleet.txt"), []byte(motley), 0o644); err != nil {
		t.Fatal(err)
	}
	a := account(t)
	_, ready := startEmulator(t, dir, "--blob-ca", a.CAFile, "--fleet", "fleet.txt")
	env := signIn(ready)
	var both []byte
	for _, file := range []string{ready.CA, a.CAFile} {
		pem, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, pem...)
	}
	env["SSL_CERT_FILE"] = filepath.Join(dir, "both.pem")
	if err := os.WriteFile(env["SSL_CERT_FILE"], both, 0o644); err != nil {
		t.Fatal(err)
	}
	sameEitherWay(t, dir, env, ready.HubAddr, a.URL+"/exports")
}

func sameEitherWay(t *testing.T, dir string, env map[string]string, host, container string) {
	t.Helper()
	for out, how := range map[string][]string{"query.jsonl": nil, "export.jsonl": {"--via", "export", "--container", container}} {
		args := append([]string{"snapshot", "pull", "--hub", host, "--out", out}, how...)
		mustRun(t, command(t, dir, env, args...), 0)
	}
	want, got := recorded(t, filepath.Join(dir, "query.jsonl")), recorded(t, filepath.Join(dir, "export.jsonl"))
	if diff := cmp.Diff(want, got); diff != "" || len(got) < 5 {
		t.Errorf("%d twins; by query (-), by export (+):\n%s", len(got), diff)
	}
}

// TestExportThatWasBegun interrupts an export, finds the hub's slot taken by it, and
// takes what it writes; but not what another has written since.
func TestExportThatWasBegun(t *testing.T) {
	t.Parallel()
	accounts := newStorageServer(filepath.Join(t.TempDir(), "blobs"))
	defer accounts.Close()
	let := make(chan struct{})
	e, dir, env := loopback(t, &emulator.Options{Twins: devices(30), Containers: gated(let, accounts.containers())})
	if err := accounts.trust(env["SSL_CERT_FILE"]); err != nil {
		t.Fatal(err)
	}
	container := accounts.container("exports")
	id := interrupted(t, command(t, dir, env, "snapshot", "pull", "--hub", e.HubAddr(), "--via", "export", "--container", container, "--out", "f.jsonl"))
	pull := func(code int, args ...string) string {
		args = append([]string{"snapshot", "pull", "--hub", e.HubAddr(), "--via", "export", "--container", container, "--out", "f.jsonl"}, args...)
		return mustRun(t, command(t, dir, env, args...), code)
	}
	if out := pull(exitFailed); !strings.Contains(out, "runs one import or export at a time, and now job "+id+", an export that began at 20") ||
		!strings.Contains(out, "or take what it writes with --job") {
		t.Errorf("got %s", out)
	}
	close(let)
	if out := pull(0, "--job", id); !strings.Contains(out, "30 twins, 0 configurations") {
		t.Errorf("got %s", out)
	}
	job, err := jobsOf(t, e).GetJob(t.Context(), id, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := snapshot.Open(filepath.Join(dir, "f.jsonl"))
	if ended, err2 := time.Parse(time.RFC3339, job.End); err != nil || err2 != nil || !s.TakenAt.Equal(ended) {
		t.Errorf("taken at %s, want when the job ended, %s (%v, %v)", s.TakenAt, ended, err, err2)
	}
	written, err := filepath.Glob(filepath.Join(accounts.dir, "*", "account", "exports", "devices.txt"))
	if err != nil || len(written) != 1 {
		t.Fatal(written, err)
	}
	for _, when := range []time.Time{time.Now().Add(-time.Hour), time.Now().Add(time.Hour)} {
		if err := os.Chtimes(written[0], when, when); err != nil {
			t.Fatal(err)
		}
		if out := pull(exitFailed, "--job", id); !strings.Contains(out, "one of them belongs to another export") {
			t.Errorf("got %s", out)
		}
	}
	if err := os.Remove(written[0]); err != nil {
		t.Fatal(err)
	}
	if out := pull(exitFailed, "--job", id); !strings.Contains(out, "is completed, but there is no blob devices.txt") {
		t.Errorf("got %s", out)
	}
}

// interrupted runs an export until it says how to go on, stops it, and returns the
// id of the job.
func interrupted(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said, id string
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		said += lines.Text() + "\n"
		if _, after, ok := strings.Cut(lines.Text(), "go on with --job "); ok {
			id = after
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // its code is looked at
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || id == "" || !strings.Contains(said, "twinrules: interrupted") {
		t.Fatalf("exit code %d: %s", code, said)
	}
	return id
}

// gated opens containers that are written to when let is closed.
func gated(let <-chan struct{}, open func(context.Context, *emulator.ContainerAddress) (emulator.Container, error)) func(context.Context, *emulator.ContainerAddress) (emulator.Container, error) {
	return func(ctx context.Context, at *emulator.ContainerAddress) (emulator.Container, error) {
		c, err := open(ctx, at)
		return gate{c, let}, err
	}
}

type gate struct {
	emulator.Container
	let <-chan struct{}
}

func (g gate) WriteBlob(ctx context.Context, name string, r io.Reader) error {
	select {
	case <-g.let:
		return g.Container.WriteBlob(ctx, name, r)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// jobsOf returns a client of the jobs of an emulator.
func jobsOf(t *testing.T, e *emulator.Emulator) *hub.JobClient {
	t.Helper()
	client, err := hub.NewClientFromConnectionString(withHost(e.ConnectionString(), e.HubAddr()), &hub.ClientOptions{RootCAs: e.CertPool()})
	if err != nil {
		t.Fatal(err)
	}
	return client.NewJobClient()
}

// TestTransfersOnAzurite exports and imports by a real blob service over TLS: with
// a token of the hub's managed identity, of one of the user's, and with a shared
// access signature. Who is not trusted there gets a refusal at once.
func TestTransfersOnAzurite(t *testing.T) {
	t.Parallel()
	a := account(t)
	container := a.URL + "/exports"
	signed := container + "?" + signature(t, "/blob/devstoreaccount1/exports")
	for name, test := range map[string]struct{ container, identity string }{
		"own identity": {container, ""}, "user's identity": {container, "/subscriptions/s/id"}, "signature": {signed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, _, _ := loopback(t, &emulator.Options{Twins: devices(500), Containers: storage(a.CertPool())})
			to, _, _ := loopback(t, &emulator.Options{Containers: storage(a.CertPool())})
			out, err := jobsOf(t, from).BeginExportDevices(t.Context(), test.container, &hub.JobClientExportOptions{BlobName: name + ".txt", Identity: test.identity})
			finish(t, out, err)
			in, err := jobsOf(t, to).BeginImportDevices(t.Context(), test.container, test.container, &hub.JobClientImportOptions{BlobName: name + ".txt", Identity: test.identity})
			finish(t, in, err)
			if n := len(slices.Collect(to.Twins())); n != 500 {
				t.Errorf("%d twins arrived", n)
			}
		})
	}
	t.Run("refusals", func(t *testing.T) {
		t.Parallel()
		e, _, _ := loopback(t, &emulator.Options{Containers: storage(a.CertPool())})
		distrusting, _, _ := loopback(t, &emulator.Options{Containers: storage(nil)})
		for name, test := range map[string]struct {
			e         *emulator.Emulator
			container string
		}{
			"no container": {e, a.URL + "/nowhere"}, "another key": {e, strings.Replace(signed, "sig=", "sig=x", 1)}, "not trusted": {distrusting, container},
		} {
			_, err := jobsOf(t, test.e).BeginExportDevices(t.Context(), test.container, nil)
			if !hub.HasCode(err, hub.CodeBlobContainerValidationError) || strings.Contains(err.Error(), "sig=") {
				t.Errorf("%s: got %v", name, err)
			}
		}
	})
}

func finish(t *testing.T, p *runtime.Poller[hub.JobClientJobResponse], err error) {
	t.Helper()
	if err == nil {
		_, err = p.PollUntilDone(t.Context(), &runtime.PollUntilDoneOptions{Frequency: time.Second})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// signature returns a shared access signature for a container of Azurite's
// account, whose key everybody knows: it is in Azurite's documentation.
func signature(t *testing.T, resource string) string {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString("Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==")
	if err != nil {
		t.Fatal(err)
	}
	const version, rights = "2020-12-06", "racwdl"
	expiry := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	mac := hmac.New(sha256.New, key)
	// permissions, start, expiry, resource, identifier, IP, protocol, version, kind,
	// snapshot, encryption scope, and five headers of answers
	mac.Write([]byte(strings.Join([]string{rights, "", expiry, resource, "", "", "", version, "c", "", "", "", "", "", "", ""}, "\n")))
	return url.Values{
		"sv": {version}, "sr": {"c"}, "sp": {rights}, "se": {expiry}, "sig": {base64.StdEncoding.EncodeToString(mac.Sum(nil))},
	}.Encode()
}
