package emulator

import (
	"fmt"
	"testing"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// benchHub returns a hub with n twins of about a kilobyte.
func benchHub(b *testing.B, n int) *hub {
	b.Helper()
	h := bareHub(1000)
	if err := h.seedTwins(benchFleet(b, n)); err != nil {
		b.Fatal(err)
	}
	return h
}

func benchFleet(b *testing.B, n int) func(yield func(*twin.Twin, error) bool) {
	return func(yield func(*twin.Twin, error) bool) {
		for i := range n {
			t, err := twin.Parse(fmt.Appendf(nil, `{"deviceId":"reefer-%06d","tags":{"site":"muc","n":%d},"properties":{`+
				`"desired":{"telemetry":{"intervalSec":60,"burst":5},"firmware":{"channel":"stable"}},`+
				`"reported":{"battery":{"pct":%d},"firmware":{"version":"2.3.%d"},"telemetry":{"intervalSec":60}}}}`, i, i, i%100, i%7))
			if !yield(t, err) {
				return
			}
		}
	}
}

func BenchmarkSeed(b *testing.B) {
	for b.Loop() {
		benchHub(b, 1000)
	}
}

// BenchmarkSeedRecorded seeds with twins that lack nothing.
func BenchmarkSeedRecorded(b *testing.B) {
	recorded := twinsOf(benchHub(b, 1000).fleet.all())
	h := benchHub(b, 0)
	for b.Loop() {
		h.fleet = newFleet()
		err := h.seedTwins(func(yield func(*twin.Twin, error) bool) {
			for t := range recorded {
				if !yield(t, nil) {
					return
				}
			}
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPatch(b *testing.B) {
	h := benchHub(b, 1)
	c := &call{ids: []string{"reefer-000000"}, body: []byte(`{"properties":{"desired":{"telemetry":{"intervalSec":900}}}}`), now: morning}
	for b.Loop() {
		if _, err := h.patchTwin(c); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFirstPage pays for all rows, whatever the size of a page.
func BenchmarkFirstPage(b *testing.B) {
	h := benchHub(b, 10_000)
	c := &call{header: func(string) string { return "" }, body: []byte(`{"query":"SELECT * FROM devices WHERE properties.reported.battery.pct < 20"}`), now: morning}
	for b.Loop() {
		if _, err := h.query(c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	h := benchHub(b, 10_000)
	c, err := readConfiguration("c", []byte(`{"content":{"deviceContent":{"properties.desired.x":1}},"targetCondition":"properties.reported.battery.pct < 20"}`))
	if err != nil {
		b.Fatal(err)
	}
	h.configurations.byID["c"] = c.create(1, morning)
	for b.Loop() {
		h.evaluate(morning)
	}
}

// BenchmarkHourOfDevices is one hour of a thousand fake devices, each of which
// is written to once.
func BenchmarkHourOfDevices(b *testing.B) {
	for b.Loop() {
		h := benchHub(b, 1000)
		h.fleet.changed = h.twinChanged
		if err := h.enliven(1000); err != nil {
			b.Fatal(err)
		}
		for _, d := range h.fleet.all() {
			if _, err := h.writeDocument(d.ref, &edit{desired: twin.Object{"x": number(1)}}, "", morning); err != nil {
				b.Fatal(err)
			}
		}
		h.catchUp(morning.Add(time.Hour))
	}
}

// BenchmarkBulkCreate creates a hundred devices beside ten thousand.
func BenchmarkBulkCreate(b *testing.B) {
	h := benchHub(b, 10_000)
	n := 0
	for b.Loop() {
		for range 100 {
			n++
			if err := h.importEntry(&importEntry{ID: fmt.Sprintf("new-%d", n)}, morning); err != nil {
				b.Fatal(err)
			}
		}
	}
}
