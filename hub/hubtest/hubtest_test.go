package hubtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/credential"
	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/hubtest"
	"github.com/twinrules/twinrules/hub/twin"
)

// ids of the emulator's devices: every character that an id may have.
var ids = []string{"pump-7", "d#%?1", "a+b.c_d*e!f(g)h,i=j@k$l'm", "..", "%2E", "a:b"}

var module = twin.Ref{Device: "pump-7", Module: "meter%1"}

// TestEmulator runs every case on an emulator that puts empty pages between the
// others, as the protocol allows. [TestConformance] does so without.
func TestEmulator(t *testing.T) {
	h, _ := onEmulator(t, &emulator.Options{EmptyPages: true})
	hubtest.Run(t, func(*testing.T) hubtest.Hub { return h })
}

// onEmulator starts an emulator that can do all that the cases need, and a
// witness of what is said to it.
func onEmulator(t *testing.T, o *emulator.Options) (hubtest.Hub, *witness) {
	t.Helper()
	// The cases let hours pass: they begin some ago, so that what our client signs
	// at the real time is good until their end.
	c := &clock{now: time.Now().Add(-12 * time.Hour)}
	o.Twins, o.Now, o.TokenLifetime = fleet(t), c.read, 24*time.Hour
	blobs := container(t, o)
	o.Applications = []emulator.Application{{Roles: []*emulator.Role{emulator.DataContributor}}, {Name: "stranger"}}
	e, err := emulator.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	wire := e.HTTPClient()
	t.Cleanup(wire.CloseIdleConnections)
	w := newWitness(t, wire)
	owner, stranger := signIn(t, e, e.Applications()[0]), signIn(t, e, e.Applications()[1])
	return hubtest.Hub{
		Client: newClient(t, e, owner, w), Stranger: newClient(t, e, stranger, w), Shared: sharedClients(t, e, w),
		Devices: ids, Module: module, Report: e.Report, Pass: c.pass,
		Raw: raw{e.HubAddr(), owner, w}.send, Send: sender(e), Play: player(e),
		OneJob: true, Container: blobs,
	}, w
}

// A clock stands still until it is told to go on.
type clock struct {
	mu  sync.Mutex // guards what follows
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(_ context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return nil
}

func signIn(t *testing.T, e *emulator.Emulator, who emulator.Application) azcore.TokenCredential {
	t.Helper()
	variables := map[string]string{
		"AZURE_AUTHORITY_HOST": e.Authority(), "AZURE_TENANT_ID": e.Tenant(),
		"AZURE_CLIENT_ID": who.ClientID, "AZURE_CLIENT_SECRET": who.Secret,
	}
	cred, err := credential.New(
		credential.Config{Kinds: []string{"client-secret"}, RootCAs: e.CertPool()},
		func(name string) (string, bool) { value, ok := variables[name]; return value, ok })
	if err != nil {
		t.Fatal(err)
	}
	return cred
}

// options make a client that goes by the witness and waits for nothing.
func options(t *testing.T, w *witness) *hub.ClientOptions {
	t.Helper()
	pacer, err := hub.NewPacer(&hub.PacerOptions{Tier: hub.TierS3, Units: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return &hub.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: w}, Pacer: pacer}
}

func newClient(t *testing.T, e *emulator.Emulator, cred azcore.TokenCredential, w *witness) *hub.Client {
	t.Helper()
	client, err := hub.NewClient(e.HubAddr(), cred, options(t, w))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func sharedClients(t *testing.T, e *emulator.Emulator, w *witness) map[string]*hub.Client {
	t.Helper()
	clients := map[string]*hub.Client{}
	for _, policy := range []string{"iothubowner", "service", "registryReadWrite"} {
		client, err := hub.NewClientFromConnectionString(e.ConnectionStringOf(policy), options(t, w))
		if err != nil {
			t.Fatal(err)
		}
		clients[policy] = client
	}
	return clients
}

// container gives the emulator one container, in a folder.
func container(t *testing.T, o *emulator.Options) *hubtest.Container {
	t.Helper()
	folders := emulator.Folders(t.TempDir())
	const url = "https://trhubtest.blob.core.windows.net/fleet"
	o.Containers = func(ctx context.Context, at *emulator.ContainerAddress) (emulator.Container, error) {
		if at.URI != url {
			return nil, fs.ErrPermission
		}
		return folders(ctx, at)
	}
	blobs, err := o.Containers(t.Context(), &emulator.ContainerAddress{URI: url})
	if err != nil {
		t.Fatal(err)
	}
	return &hubtest.Container{
		URL: url,
		Read: func(ctx context.Context, blob string) ([]byte, error) {
			r, err := blobs.ReadBlob(ctx, blob)
			if err != nil {
				return nil, err
			}
			defer r.Close()
			return io.ReadAll(r)
		},
		Write: func(ctx context.Context, blob string, data []byte) error {
			return blobs.WriteBlob(ctx, blob, bytes.NewReader(data))
		},
	}
}

// raw signs requests that no client of ours sends, unless they are.
type raw struct {
	host string
	cred azcore.TokenCredential
	way  interface {
		pass(r *http.Request, ours bool) (*http.Response, error)
	}
}

func (s raw) send(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = "https", s.host
	if r.Header.Get("Authorization") == "" {
		token, err := s.cred.GetToken(r.Context(), policy.TokenRequestOptions{Scopes: []string{hub.Audience + "/.default"}})
		if err != nil {
			return nil, err
		}
		r.Header.Set("Authorization", "Bearer "+token.Token)
	}
	return s.way.pass(r, false)
}

// sender sends messages of whose fate the service wants to hear.
func sender(e *emulator.Emulator) func(device, id string) error {
	return func(device, id string) error {
		return e.Send(device, emulator.Message{ID: id, Feedback: emulator.FeedbackFull})
	}
}

// player connects devices.
func player(e *emulator.Emulator) func(*testing.T, twin.Ref, hubtest.Answer) {
	return func(t *testing.T, ref twin.Ref, answer hubtest.Answer) {
		t.Helper()
		if err := e.Connect(ref, device(answer)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.Disconnect(ref) })
	}
}

// A device answers methods, takes messages, and reports nothing.
type device hubtest.Answer

func (d device) Invoke(method string, payload json.RawMessage) emulator.MethodResult {
	status, answer := d(method, payload)
	return emulator.MethodResult{Status: status, Payload: answer}
}

func (d device) Update(twin.Object) twin.Object { return nil }

func (d device) Receive(emulator.Message) emulator.Settlement { return emulator.Complete }

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
// and desired properties are lost. TWINRULES_TEST_CONNECTION_STRING may have the
// policy iothubowner. Cases that wait for the hub take minutes.
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
	shared := map[string]*hub.Client{}
	if text := os.Getenv("TWINRULES_TEST_CONNECTION_STRING"); text != "" {
		if shared["iothubowner"], err = hub.NewClientFromConnectionString(text, nil); err != nil {
			t.Fatal(err)
		}
	}
	device, moduleID, _ := strings.Cut(os.Getenv("TWINRULES_TEST_MODULE"), "/")
	hubtest.Run(t, func(t *testing.T) hubtest.Hub {
		return hubtest.Hub{
			Client:  client,
			Devices: strings.Split(os.Getenv("TWINRULES_TEST_DEVICES"), ","),
			Module:  twin.Ref{Device: device, Module: moduleID},
			Indexed: func(ctx context.Context) error { return indexed(ctx, client, device) },
			Shared:  shared, Pass: wait, Raw: raw{host, cred, straight{}}.send,
		}
	})
}

// wait lets real time pass.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// straight is the way to a hub without a witness.
type straight struct{}

func (straight) pass(r *http.Request, _ bool) (*http.Response, error) {
	return http.DefaultClient.Do(r)
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
