package emulator_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

// TestIndexLags changes, makes and deletes twins: a query sees it within the lag,
// each twin after a time of its own, and everything else sees it at once.
func TestIndexLags(t *testing.T) {
	clock := newClock()
	e := start(t, &emulator.Options{Now: clock.now, Twins: numbered(60), IndexLag: time.Minute, Seed: 3})
	c := connect(t, e, 0)
	for i := range 20 {
		e.Delete(twin.Ref{Device: fmt.Sprintf("d%03d", i)})
		c.do("PATCH", fmt.Sprintf("/twins/d%03d", 20+i), `{"tags":{"new":1}}`).want(200, "").contains(`"new":1`)
		newcomer, err := twin.Parse(fmt.Appendf(nil, `{"deviceId":"new%d","tags":{"n":1}}`, i))
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Put(newcomer); err != nil {
			t.Fatal(err)
		}
	}
	c.do("GET", "/twins/d000", "").want(404, "DeviceNotFound")
	c.do("GET", "/twins/new0", "").want(200, "")
	c.do("GET", "/statistics/devices", "").contains(`"totalDeviceCount":60`)
	count := func(where string) (n int) {
		r := c.ask("SELECT COUNT() AS n FROM devices WHERE "+where).want(200, "")
		if _, err := fmt.Sscanf(r.body, `[{"n":%d}]`, &n); err != nil {
			t.Fatal(r.body, err)
		}
		return n
	}
	if ghosts, seen, new := count("tags.n < 20 AND STARTSWITH(deviceId, 'd')"), count("tags.new = 1"), count("STARTSWITH(deviceId, 'new')"); ghosts != 20 || seen+new > 1 {
		t.Errorf("at once: %d ghosts, %d changes, %d new", ghosts, seen, new)
	}
	clock.pass(30 * time.Second)
	if ghosts, seen := count("tags.n < 20 AND STARTSWITH(deviceId, 'd')"), count("tags.new = 1"); ghosts < 4 || ghosts > 16 || seen < 4 || seen > 16 {
		t.Errorf("half way: %d ghosts, %d changes, want some of 20", ghosts, seen)
	}
	clock.pass(30 * time.Second)
	if ghosts, seen, new := count("tags.n < 20 AND STARTSWITH(deviceId, 'd')"), count("tags.new = 1"), count("STARTSWITH(deviceId, 'new')"); ghosts != 0 || seen != 20 || new != 20 {
		t.Errorf("in the end: %d ghosts, %d changes, %d new", ghosts, seen, new)
	}
}

// TestIndexKeepsOrder writes a twin often: a query sees the versions in order.
func TestIndexKeepsOrder(t *testing.T) {
	clock := newClock()
	e := start(t, &emulator.Options{Now: clock.now, Twins: numbered(1), IndexLag: 10 * time.Second, Seed: 4})
	c := connect(t, e, 0)
	last := int64(0)
	for range 40 {
		if err := e.Patch(twin.Ref{Device: "d000"}, twin.Patch{Tags: twin.Object{"n": nil}}); err != nil {
			t.Fatal(err)
		}
		clock.pass(time.Second)
		var version int64
		if _, err := fmt.Sscanf(c.ask("SELECT version FROM devices").body, `[{"version":%d}]`, &version); err != nil {
			t.Fatal(err)
		}
		if version < last {
			t.Errorf("version %d after %d", version, last)
		}
		last = version
	}
	if last < 30 {
		t.Errorf("still at version %d after 40 seconds with a lag of 10", last)
	}
}

// TestJobsMeetGhosts runs a job over a device that is there no more.
func TestJobsMeetGhosts(t *testing.T) {
	clock := newClock()
	e := start(t, &emulator.Options{Now: clock.now, Twins: numbered(2), IndexLag: time.Hour})
	c := connect(t, e, 0)
	e.Delete(twin.Ref{Device: "d000"})
	c.do("PUT", "/jobs/v2/j", `{"type":"scheduleUpdateTwin","updateTwin":{"etag":"*","tags":{"x":1}},"queryCondition":"*"}`).want(200, "")
	clock.pass(4 * time.Second)
	c.do("GET", "/jobs/v2/j", "").contains(`"status":"completed"`).contains(`"deviceCount":2,"failedCount":1,"succeededCount":1`)
	c.ask("SELECT * FROM devices.jobs WHERE status = 'failed'").contains(`"deviceId":"d000"`).contains(`"code":"DeviceNotFound"`)
}

func TestTokensEnd(t *testing.T) {
	clock := newClock()
	e := start(t, &emulator.Options{Now: clock.now, Twins: numbered(3), ContinuationLifetime: time.Minute})
	c := connect(t, e, 0)
	token := c.ask("SELECT * FROM devices", "x-ms-max-item-count", "1").header.Get("x-ms-continuation")
	clock.pass(59 * time.Second)
	c.ask("SELECT * FROM devices", "x-ms-continuation", token).want(200, "")
	clock.pass(time.Second)
	c.ask("SELECT * FROM devices", "x-ms-continuation", token).want(400, "ArgumentInvalid")
}
