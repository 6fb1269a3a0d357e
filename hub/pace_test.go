package hub_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/twin"
)

// A strict hub takes so much in any window of its period and answers the rest
// with 429. It takes up to 50 ms to hear a request and to answer it.
type strict struct {
	limit func(since time.Duration) int
	per   time.Duration
	asked time.Duration // Retry-After, 0 for none

	mu       sync.Mutex
	start    time.Time
	random   *rand.Rand
	accepted []time.Time
	refused  int
}

func newStrict(limit int, per time.Duration) *strict {
	return &strict{limit: func(time.Duration) int { return limit }, per: per, start: time.Now(), random: rand.New(rand.NewPCG(1, 2))}
}

func (s *strict) Do(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	there, back := time.Duration(s.random.Int64N(5e7)), time.Duration(s.random.Int64N(5e7))
	s.mu.Unlock()
	time.Sleep(there)
	resp := s.answer()
	time.Sleep(back)
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	return resp, nil
}

func (s *strict) answer() *http.Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	recent := 0
	for i := len(s.accepted) - 1; i >= 0 && now.Sub(s.accepted[i]) < s.per; i-- {
		recent++
	}
	if recent < s.limit(now.Sub(s.start)) {
		s.accepted = append(s.accepted, now)
		return saying(200, twinBody)
	}
	s.refused++
	text := `{"Message":"ErrorCode:ThrottlingBacklogTimeout;The request has been throttled. Wait 10 seconds and try again."}`
	if s.asked > 0 {
		return saying(429, text, "Retry-After", fmt.Sprint(int(s.asked.Seconds())))
	}
	return saying(429, text)
}

// most returns the most requests taken in any window of that length.
func (s *strict) most(window time.Duration) (most int) {
	first := 0
	for i, at := range s.accepted {
		for at.Sub(s.accepted[first]) >= window {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// paced returns a client of the strict hub.
func (s *strict) client(t *testing.T, o *hub.PacerOptions) *hub.Client {
	o.Jitter = func() float64 { return 0.5 }
	return newClient(t, "contoso.azure-devices.net", fixedToken(token), &hub.ClientOptions{
		Pacer: newPacer(t, o), ClientOptions: azcore.ClientOptions{Transport: s, Retry: policy.RetryOptions{RetryDelay: time.Second}},
	})
}

// work lets 64 workers write twins for so long and returns how many they wrote.
func work(t *testing.T, c *hub.Client, long time.Duration) (written int) {
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	var mu sync.Mutex
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			for ctx.Err() == nil {
				_, err := c.NewRegistryClient().UpdateTwin(ctx, "d1", fan, nil)
				if err != nil && ctx.Err() == nil {
					t.Errorf("dropped: %v", err)
					return
				}
				if err == nil {
					mu.Lock()
					written++
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	return written
}

// TestStorm is up to a virtual hour of 64 workers who want all they can get. It
// takes some seconds of a real one, and under the race detector, which has
// nothing more to see after a while, a twelfth of the first.
func TestStorm(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	busy := func(since time.Duration) int { // somebody else takes most of it for five minutes
		if since > 5*time.Minute && since < 10*time.Minute {
			return 20
		}
		return 50
	}
	tests := []struct {
		name    string
		options hub.PacerOptions
		limit   func(time.Duration) int
		asked   time.Duration
		long    time.Duration
		least   float64 // of what the hub allows
	}{
		{"tier known", hub.PacerOptions{Tier: hub.TierS1}, nil, 0, time.Hour, 0.95},
		{"tier not known", hub.PacerOptions{}, nil, 0, time.Hour, 0.95},
		{"tier not known, asked to wait", hub.PacerOptions{}, nil, 4 * time.Second, 5 * time.Minute, 0.95},
		{"tier overstated", hub.PacerOptions{Tier: hub.TierS3}, nil, 0, 15 * time.Minute, 0.70},
		{"not alone", hub.PacerOptions{Tier: hub.TierS1}, busy, 0, 20 * time.Minute, 0.60},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if raceDetector && i > 0 {
				t.Skip("takes long under the race detector")
			} else if raceDetector {
				test.long /= 12
			}
			synctest.Test(t, func(t *testing.T) {
				s := newStrict(50, time.Second)
				s.asked = test.asked
				allowed := 50 * test.long.Seconds()
				if test.limit != nil {
					s.limit = test.limit
					allowed -= 30 * 300
				}
				began := time.Now()
				written := work(t, s.client(t, &test.options), test.long)
				goodput := float64(written) / allowed
				t.Logf("%d written, %.1f %% of what is allowed; %d times 429; at most %d in 1 s, %d in 60 s", written, 100*goodput, s.refused, s.most(time.Second), s.most(time.Minute))
				if s.most(time.Second) > 50 || s.most(time.Minute) > 3000 || goodput < test.least || time.Since(began) > test.long+time.Minute {
					t.Errorf("that is not within the limits")
				}
			})
		})
	}
}

// A hub that allows everything is not waited for, whatever its tier might be.
func TestNoNeedlessWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := onTransport(t, func(*http.Request) (*http.Response, error) { return saying(200, `[]`), nil })
		began := time.Now()
		for range 500 {
			if err := query(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		if passed := time.Since(began); passed != 0 {
			t.Errorf("500 queries waited %s", passed)
		}
		if n, per := c.Pacer().Rate(hub.Queries); n < 500 || per != time.Minute {
			t.Errorf("found %d in %s", n, per)
		}
	})
}

// Clients with one pacer keep one limit.
func TestSharedPacer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStrict(100, time.Second)
		p := newPacer(t, &hub.PacerOptions{Tier: hub.TierS2})
		var group sync.WaitGroup
		for range 4 {
			c := newClient(t, "contoso.azure-devices.net", fixedToken(token), &hub.ClientOptions{Pacer: p, ClientOptions: azcore.ClientOptions{Transport: s}})
			group.Go(func() {
				for range 250 {
					if err := read(t.Context(), c); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		if s.refused != 0 || len(s.accepted) != 1000 {
			t.Errorf("%d refused, %d accepted", s.refused, len(s.accepted))
		}
	})
}

// A bulk counts as many operations as it has items.
func TestBulkCharge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, "contoso.azure-devices.net", fixedToken(token), &hub.ClientOptions{
			Pacer: newPacer(t, &hub.PacerOptions{Tier: hub.TierS1}),
			ClientOptions: azcore.ClientOptions{Transport: transport(func(*http.Request) (*http.Response, error) {
				return saying(200, `{"isSuccessful":true,"errors":[],"warnings":[]}`), nil
			})},
		})
		items := make([]hub.RegistryUpdate, 100)
		for i := range items {
			items[i] = hub.RegistryUpdate{Mode: hub.ImportModeDelete, Ref: twin.Ref{Device: fmt.Sprintf("d%d", i)}}
		}
		began := time.Now()
		for range 3 {
			if _, err := c.NewRegistryClient().UpdateRegistry(t.Context(), items, nil); err != nil {
				t.Fatal(err)
			}
		}
		want := c.Pacer().Estimate(hub.RegistryOperations, 300)
		if passed := time.Since(began); passed != want || want < 2*time.Minute {
			t.Errorf("300 items took %s, estimated %s", passed, want)
		}
	})
}

// The slot of a job that is taken is no reason to hold others back or to wait.
func TestSlotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c := onTransport(t, func(*http.Request) (*http.Response, error) {
			n++
			return saying(429, `{"Message":"ErrorCode:ThrottlingMaxActiveJobCountExceeded;x"}`), nil
		})
		began := time.Now()
		_, err := c.NewJobClient().BeginScheduleTwinUpdate(t.Context(), "j-1", "*", fan, nil)
		if n != 1 || time.Since(began) != 0 || !hub.HasCode(err, hub.CodeThrottlingMaxActiveJobCountExceeded) || !errors.Is(err, twin.ErrThrottled) {
			t.Errorf("%d requests, %s, %v", n, time.Since(began), err)
		}
	})
}

// Who gives up while waiting has sent nothing, and can know it.
func TestGiveUpWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c := newClient(t, "contoso.azure-devices.net", fixedToken(token), &hub.ClientOptions{
			Pacer: newPacer(t, &hub.PacerOptions{Tier: hub.TierS1}),
			ClientOptions: azcore.ClientOptions{Transport: transport(func(*http.Request) (*http.Response, error) {
				n++
				return saying(200, twinBody), nil
			})},
		})
		for range 50 {
			if err := patch(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		err := patch(ctx, c)
		if n != 50 || !errors.Is(err, twin.ErrUnavailable) || errors.Is(err, twin.ErrMaybeApplied) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%d sent, %v", n, err)
		}
	})
}

// Without a word from the hub pauses double; with one they are as long as asked.
func TestPauses(t *testing.T) {
	for name, test := range map[string]struct {
		header []string
		want   []time.Duration
	}{
		"silent": {nil, []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute, time.Minute}},
		"asked":  {[]string{"Retry-After", "7"}, []time.Duration{7 * time.Second, 7 * time.Second, 7 * time.Second, 7 * time.Second, 7 * time.Second}},
	} {
		synctest.Test(t, func(t *testing.T) {
			var at []time.Time
			var told []time.Duration
			c := newClient(t, "contoso.azure-devices.net", fixedToken(token), &hub.ClientOptions{
				Pacer: newPacer(t, &hub.PacerOptions{
					Jitter: func() float64 { return 0 },
					Paused: func(_ *hub.Class, pause time.Duration) { told = append(told, pause) },
				}),
				ClientOptions: azcore.ClientOptions{Transport: transport(func(*http.Request) (*http.Response, error) {
					if at = append(at, time.Now()); len(at) <= 5 {
						return saying(429, ``, test.header...), nil
					}
					return saying(200, twinBody), nil
				})},
			})
			if err := read(t.Context(), c); err != nil || len(at) != 6 {
				t.Fatalf("%s: %d requests, %v", name, len(at), err)
			}
			if !slices.Equal(told, test.want) {
				t.Errorf("%s: told of pauses %s, want %s", name, told, test.want)
			}
			for i, want := range test.want {
				if got := at[i+1].Sub(at[i]); got != want {
					t.Errorf("%s: pause %d was %s, want %s", name, i+1, got, want)
				}
			}
		})
	}
}

// Who asks for more than our patience is told so at once.
func TestImpatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, "contoso.azure-devices.net", fixedToken(token), &hub.ClientOptions{
			Pacer: newPacer(t, nil),
			ClientOptions: azcore.ClientOptions{Transport: transport(func(*http.Request) (*http.Response, error) {
				return saying(429, ``, "Retry-After", "3600"), nil
			})},
		})
		began := time.Now()
		err := read(t.Context(), c)
		if time.Since(began) != 0 || hub.RetryAfter(err) != time.Hour || !errors.Is(err, twin.ErrThrottled) {
			t.Errorf("%s, %v", time.Since(began), err)
		}
	})
}

func TestLimits(t *testing.T) {
	tests := []struct {
		class *hub.Class
		tier  hub.Tier
		units int
		want  int
		per   time.Duration
	}{
		{hub.TwinUpdates, hub.TierS1, 1, 50, time.Second},
		{hub.TwinUpdates, hub.TierS1, 9, 50, time.Second},
		{hub.TwinUpdates, hub.TierS2, 20, 100, time.Second},
		{hub.TwinUpdates, hub.TierS3, 2, 500, time.Second},
		{hub.TwinReads, hub.TierS2, 5, 100, time.Second},
		{hub.TwinReads, hub.TierF1, 5, 100, time.Second},
		{hub.Queries, hub.TierF1, 5, 20, time.Minute},
		{hub.Queries, hub.TierS1, 5, 100, time.Minute},
		{hub.Queries, hub.TierS3, 1, 1000, time.Minute},
		{hub.ConfigurationOperations, hub.TierS3, 2, 40, time.Minute},
		{hub.DirectMethods, hub.TierS2, 2, 240, time.Second},
		{hub.JobDevices, hub.TierS2, 30, 30, time.Second},
		{hub.RegistryOperations, "", 0, 100, time.Minute},
	}
	for _, test := range tests {
		if got, per := test.class.Limit(test.tier, test.units); got != test.want || per != test.per {
			t.Errorf("%s of %s×%d: got %d in %s, want %d in %s", test.class, test.tier, test.units, got, per, test.want, test.per)
		}
	}
	for _, tier := range []hub.Tier{"B1", "S9", "s1"} {
		if _, err := hub.NewPacer(&hub.PacerOptions{Tier: tier}); err == nil {
			t.Errorf("there is no tier %s", tier)
		}
	}
	p := newPacer(t, &hub.PacerOptions{Tier: hub.TierS1})
	for n, want := range map[int]time.Duration{0: 0, 50: 0, 100: 1020 * time.Millisecond, 10_000: 199 * 1020 * time.Millisecond} {
		if got := p.Estimate(hub.TwinUpdates, n); got != want {
			t.Errorf("%d patches: got %s, want %s", n, got, want)
		}
	}
}
