package hubtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/credential"
	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

// TestThrottled is a hub that is asked for all it gives and more, by 64 workers
// at once, for as long as a virtual hour: the client and the emulator as they
// are, over TLS, each with its own idea of the limits.
func TestThrottled(t *testing.T) {
	if raceDetector {
		t.Skip("hundreds of thousands of requests are too many for the race detector, which now and then gives up")
	}
	tests := []struct {
		name  string
		pacer hub.PacerOptions
		limit int           // what the tier takes
		per   time.Duration // in what time
		long  time.Duration
		ask   func(context.Context, *hub.Client, int) error
	}{
		{"queries, tier known", hub.PacerOptions{Tier: hub.TierS1}, 20, time.Minute, time.Hour, ask},
		{"queries, tier found out", hub.PacerOptions{}, 20, time.Minute, time.Hour, ask},
		{"twin updates, tier known", hub.PacerOptions{Tier: hub.TierS1}, 50, time.Second, time.Minute, patch},
		{"twin updates, tier found out", hub.PacerOptions{}, 50, time.Second, time.Minute, patch},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				taken := &takings{}
				client := throttled(t, &test.pacer, taken)
				done := flood(t, client, test.long, test.ask)
				taken.mu.Lock() // some who gave up are still being answered
				defer taken.mu.Unlock()
				allowed := float64(test.limit) * float64(test.long) / float64(test.per)
				t.Logf("%d done, %.1f %% of what is allowed; %d times 429; at most %d in %s", done,
					100*float64(done)/allowed, taken.refused, taken.most(test.per), test.per)
				if float64(done) < 0.95*allowed || taken.most(test.per) > test.limit || len(taken.at) < done {
					t.Error("that is not what the tier gives")
				}
			})
		})
	}
}

func ask(ctx context.Context, c *hub.Client, _ int) error {
	for _, err := range c.Twins(ctx, "SELECT * FROM devices") {
		return err
	}
	return nil
}

func patch(ctx context.Context, c *hub.Client, worker int) error {
	_, err := c.NewRegistryClient().UpdateTwin(ctx, ids[worker%len(ids)], twin.Patch{Tags: twin.Object{"w": json.Number(fmt.Sprint(worker))}}, nil)
	return err
}

// throttled returns a client of a hub of tier S1 that nothing but it reaches.
func throttled(t *testing.T, pacing *hub.PacerOptions, log *takings) *hub.Client {
	t.Helper()
	e, err := emulator.Start(t.Context(), &emulator.Options{Tier: "S1", InMemory: true, Twins: fleet(t), RequestLog: log})
	if err != nil {
		t.Fatal(err)
	}
	network := e.HTTPClient()
	t.Cleanup(func() { network.CloseIdleConnections(); e.Close() })
	variables := map[string]string{"S": e.Secret()}
	cred, err := credential.New(credential.Config{
		Kinds: []string{"client-secret"}, TenantID: e.Tenant(), ClientID: e.Client(), SecretEnv: "S", Authority: e.Authority(), Transport: network,
	}, func(name string) (string, bool) { value, ok := variables[name]; return value, ok })
	if err != nil {
		t.Fatal(err)
	}
	pacer, err := hub.NewPacer(pacing)
	if err != nil {
		t.Fatal(err)
	}
	client, err := hub.NewClient(e.HubName(), cred, &hub.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: network}, Pacer: pacer})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// flood lets 64 workers ask for as much as they can get in that time, and
// returns how much they got. None may fail.
func flood(t *testing.T, c *hub.Client, long time.Duration, ask func(context.Context, *hub.Client, int) error) (done int) {
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	var mu sync.Mutex
	var group sync.WaitGroup
	for worker := range 64 {
		group.Go(func() {
			for {
				err := ask(ctx, c, worker)
				if ctx.Err() != nil {
					return
				}
				mu.Lock()
				done++
				mu.Unlock()
				if err != nil {
					t.Errorf("dropped: %v", err)
					return
				}
			}
		})
	}
	group.Wait()
	return done
}

// takings is a request log that keeps when requests were taken.
type takings struct {
	mu      sync.Mutex
	at      []time.Time
	refused int
}

func (s *takings) Write(line []byte) (int, error) {
	var r struct {
		Answered time.Time
		Status   int
		Path     string
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case r.Status == 429:
		s.refused++
	case !strings.HasPrefix(r.Path, "/twins/") && r.Path != "/devices/query":
	case r.Status == 200:
		s.at = append(s.at, r.Answered)
	}
	return len(line), nil
}

// most returns the most requests taken in any window of that length.
func (s *takings) most(window time.Duration) (most int) {
	first := 0
	for i, at := range s.at {
		for at.Sub(s.at[first]) >= window {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}
