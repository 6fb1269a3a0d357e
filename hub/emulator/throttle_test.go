package emulator_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twinrules/twinrules/hub/emulator"
)

// inMemory runs an emulator that a bubble of synctest can hold.
func inMemory(t *testing.T, o emulator.Options) (*emulator.Emulator, *client) {
	t.Helper()
	o.InMemory, o.SigningKey = true, signingKey()
	e, err := emulator.Start(context.Background(), &o)
	if err != nil {
		t.Fatal(err)
	}
	c := connect(t, e, 0)
	t.Cleanup(func() {
		c.http.CloseIdleConnections()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
	})
	return e, c
}

// TestRates sends more than a tier takes at once and looks when how many pass.
func TestRates(t *testing.T) {
	signingKey() // outside of the bubbles
	for _, test := range []struct {
		name         string
		tier         string
		units        int
		method, path string
		body         string
		n            int
		within       time.Duration // how many have passed, of n
		want         int
	}{
		{"no tier", "", 0, "GET", "/twins/d000", "", 300, 0, 300},
		{"twin reads", "S1", 1, "GET", "/twins/d000", "", 250, 0, 100},
		{"twin reads in a second", "S1", 1, "GET", "/twins/d000", "", 250, time.Second, 200},
		{"twin reads do not grow", "S1", 5, "GET", "/twins/d000", "", 250, 0, 100},
		{"twin reads of many units", "S2", 20, "GET", "/twins/d000", "", 250, 0, 200},
		{"twin updates", "F1", 1, "PATCH", "/twins/d000", `{"tags":{"a":1}}`, 120, 0, 50},
		{"twin updates of the largest", "S3", 1, "PATCH", "/twins/d000", `{"tags":{"a":1}}`, 300, 0, 250},
		{"queries", "S1", 2, "POST", "/devices/query", `{"query":"SELECT * FROM devices"}`, 60, 0, 40},
		{"identities", "S1", 1, "GET", "/devices/d000", "", 120, 30 * time.Second, 100},
		{"jobs", "S2", 1, "GET", "/jobs/v2/j", "", 120, 0, 100},
		{"listing jobs", "S1", 1, "GET", "/jobs/v2/query", "", 120, 0, 100},
		{"configurations", "S3", 3, "GET", "/configurations", "", 90, 0, 60},
	} {
		t.Run(test.name, func(t *testing.T) {
			if watched && test.n > 120 {
				t.Skip("each request has a connection of its own; the others are as many as races need")
			}
			synctest.Test(t, func(t *testing.T) {
				_, c := inMemory(t, emulator.Options{Tier: test.tier, Units: test.units, Twins: numbered(1)})
				began := time.Now()
				var mu sync.Mutex
				passed, refused := 0, 0
				var all sync.WaitGroup
				for range test.n {
					all.Go(func() {
						r := c.do(test.method, test.path, test.body)
						mu.Lock()
						defer mu.Unlock()
						if r.status == 429 {
							refused++
						}
						if r.status == 200 && time.Since(began) <= test.within {
							passed++
						}
					})
				}
				all.Wait()
				if passed != test.want {
					t.Errorf("%d passed in %v, want %d", passed, test.within, test.want)
				}
				if minutes := test.want < test.n && test.path != "/twins/d000"; minutes != (refused > 0) {
					t.Errorf("%d refused", refused)
				}
			})
		})
	}
}

// TestThrottledAnswer compares a refusal with the one that was recorded.
func TestThrottledAnswer(t *testing.T) {
	clock := newClock()
	for _, after := range []time.Duration{0, 1500 * time.Millisecond} {
		e := start(t, &emulator.Options{Now: clock.now, Tier: "S1", RetryAfter: after})
		c := connect(t, e, 0)
		for range 20 {
			c.do("GET", "/configurations", "").want(200, "")
		}
		r := c.do("PUT", "/configurations/c", fanConfiguration).want(429, "ThrottlingBacklogTimeout").
			contains(`{"Message":"ErrorCode:ThrottlingBacklogTimeout;The request has been throttled. Wait 10 seconds and try again. Operation type: ConfigurationWrite",`)
		if got, want := r.header.Get("Retry-After"), map[bool]string{true: "2"}[after > 0]; got != want {
			t.Errorf("got Retry-After %q, want %q", got, want)
		}
		c.do("GET", "/configurations/c", "").want(429, "ThrottlingBacklogTimeout")
		clock.pass(time.Minute)
		c.do("GET", "/configurations/c", "").want(404, "ConfigurationNotFound")
	}
}

// TestHeldBackOnAnotherClock holds a request back until the clock is moved.
func TestHeldBackOnAnotherClock(t *testing.T) {
	clock := newClock()
	e := start(t, &emulator.Options{Now: clock.now, Tier: "S1", Twins: numbered(1)})
	c := connect(t, e, 0)
	for range 50 {
		c.do("PATCH", "/twins/d000", `{"tags":{"a":1}}`).want(200, "")
	}
	done := make(chan int)
	go func() { done <- c.do("PATCH", "/twins/d000", `{"tags":{"late":1}}`).status }()
	for held := true; held; {
		select {
		case status := <-done:
			if status != 200 || clock.now().Equal(newClock().now()) {
				t.Errorf("got %d at %v", status, clock.now())
			}
			held = false
		default:
			clock.pass(10 * time.Millisecond)
			e.CatchUp()
		}
	}
}

// TestCloseEndsWaiting closes while a request is held back.
func TestCloseEndsWaiting(t *testing.T) {
	signingKey()
	synctest.Test(t, func(t *testing.T) {
		e, c := inMemory(t, emulator.Options{Tier: "S1", Backlog: time.Hour})
		for range 20 {
			c.do("GET", "/configurations", "").want(200, "")
		}
		done := make(chan error)
		go func() {
			_, err := c.try("GET", "/configurations", "")
			done <- err
		}()
		synctest.Wait()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; err == nil {
			t.Error("a closed emulator answered")
		}
	})
}

// TestStorm hammers a hub for a virtual hour: no window of a minute has more
// than the tier's rate in it, and little less.
func TestStorm(t *testing.T) {
	if watched {
		t.Skip("a virtual hour of requests is too much for the race detector, whose own code crashes in it now and then")
	}
	signingKey()
	synctest.Test(t, func(t *testing.T) {
		e, _ := inMemory(t, emulator.Options{Tier: "S1"})
		began := time.Now()
		var workers sync.WaitGroup
		for i := range 4 {
			workers.Go(func() {
				c := connect(t, e, 0)
				for time.Since(began) < time.Hour {
					c.do("GET", fmt.Sprintf("/configurations/c%d", i), "")
					time.Sleep(5 * time.Second) // of the bubble: a client that does not listen
				}
				c.http.CloseIdleConnections()
			})
		}
		workers.Wait()
		var passed []time.Time
		for _, r := range e.Requests() {
			if r.Status == 404 && strings.HasPrefix(r.Path, "/configurations/") {
				passed = append(passed, r.Answered)
			}
		}
		if got := len(passed); got < 20*60*95/100 {
			t.Errorf("%d passed in an hour, want nearly 1200", got)
		}
		for i := 20; i < len(passed); i++ {
			if minute := passed[i].Sub(passed[i-20]); minute < time.Minute {
				t.Errorf("21 passed within %v", minute)
			}
		}
	})
}

func TestTiersThatAreNone(t *testing.T) {
	for want, o := range map[string]emulator.Options{
		`unknown tier "S4", known are F1, S1, S2, S3`: {Tier: "S4"},
		"-1 units of a tier, a hub has 1 to 200":      {Tier: "S1", Units: -1},
		"1000000 units of a tier, a hub has 1 to 200": {Tier: "S3", Units: 1_000_000},
	} {
		e, err := emulator.Start(context.Background(), &o)
		if err == nil {
			e.Close()
			t.Fatal("it started")
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
