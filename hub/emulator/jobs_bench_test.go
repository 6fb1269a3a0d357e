package emulator

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkPatchKept is BenchmarkPatch with a state on disk.
func BenchmarkPatchKept(b *testing.B) {
	h := benchHub(b, 10_000)
	s, _, err := openStore(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	h.store = s
	defer s.close()
	if err := h.keepAll(); err != nil {
		b.Fatal(err)
	}
	h.fleet.changed = h.twinChanged
	c := &call{ids: []string{"reefer-000000"}, body: []byte(`{"properties":{"desired":{"telemetry":{"intervalSec":900}}}}`), now: morning}
	for b.Loop() {
		if _, err := h.patchTwin(c); err != nil {
			b.Fatal(err)
		}
		if err := h.kept(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPatchBehind writes where an index has to follow, for comparison with
// BenchmarkPatch.
func BenchmarkPatchBehind(b *testing.B) {
	h := benchHub(b, 10_000)
	h.lagBehind(10 * time.Second)
	h.fleet.changed = h.twinChanged
	now := morning
	h.now = func() time.Time { return now }
	n := 0
	for b.Loop() {
		now = now.Add(20 * time.Millisecond)
		h.catchUp(now)
		n = (n + 1) % 10_000
		c := &call{ids: []string{fmt.Sprintf("reefer-%06d", n)}, body: []byte(`{"properties":{"desired":{"telemetry":{"intervalSec":900}}}}`), now: now}
		if _, err := h.patchTwin(c); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkJob runs a job over ten thousand devices, ten a second.
func BenchmarkJob(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		h := benchHub(b, 10_000)
		h.shaping = newShaping(&Options{}, tiers[1])
		c := &call{ids: []string{"j"}, now: morning, header: func(string) string { return "" },
			body: []byte(`{"type":"scheduleUpdateTwin","updateTwin":{"etag":"*","tags":{"x":1}},"queryCondition":"*"}`)}
		b.StartTimer()
		if _, err := h.putJob(c); err != nil {
			b.Fatal(err)
		}
		h.catchUp(morning.Add(20 * time.Minute))
		if s := h.jobs.byID["j"].statistics(); s.Succeeded != 10_000 {
			b.Fatalf("%+v", s)
		}
	}
}
