package virtual_test

import (
	"crypto/rand"
	"crypto/rsa"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/estimate"
	"github.com/twinrules/twinrules/hub/estimate/virtual"
)

// signingKey is made outside of bubbles: one takes a while.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// TestEstimatesHold goes lanes on an emulated hub, in virtual time, and holds what
// they took against what was estimated: the same calls, and the time within 1 %
// and an answer.
func TestEstimatesHold(t *testing.T) {
	signingKey()
	small := virtual.Size{Devices: 330, Every: 2, Tier: hub.TierS1, Units: 1}
	slower := virtual.Size{Devices: 2100, Every: 9, Tier: hub.TierS1, Units: 1, Latency: 135 * time.Millisecond}
	larger := virtual.Size{Devices: 1050, Every: 3, Tier: hub.TierS2, Units: 15, Latency: 40 * time.Millisecond}
	for _, test := range []struct {
		name  string
		size  virtual.Size
		ways  func(estimate.Hub, virtual.Size) []estimate.Way
		which string
		lane  virtual.Lane
	}{
		{"narrowed, counts and pages are too much for a minute", virtual.Size{Devices: 1950, Every: 1, Tier: hub.TierS1, Units: 1}, reading, "narrowed query", virtual.Narrowed},
		{"narrowed, answers take time", slower, reading, "narrowed query", virtual.Narrowed},
		{"everybody, answers take time", slower, reading, "query of everybody", virtual.Whole},
		{"everybody, no limit is reached", larger, reading, "query of everybody", virtual.Whole},
		{"point reads", small, reading, "point reads of a known inventory", virtual.PointReads(64)},
		{"point reads, more units", larger, reading, "point reads of a known inventory", virtual.PointReads(64)},
		{"point reads, held back by answers", virtual.Size{Devices: 1030, Every: 2, Tier: hub.TierS3, Units: 1, Latency: 135 * time.Millisecond},
			reading, "point reads of a known inventory", virtual.PointReads(64)},
		{"patches", small, writing, "patch each twin under its etag", virtual.Patches(8)},
		{"patches, answers take time", slower, writing, "patch each twin under its etag", virtual.Patches(8)},
		{"patches, more units", larger, writing, "patch each twin under its etag", virtual.Patches(8)},
	} {
		t.Run(test.name, func(t *testing.T) {
			if raceDetector && test.size != small {
				t.Skip("takes long under the race detector, which has seen enough")
			}
			synctest.Test(t, func(t *testing.T) {
				size := test.size
				want := find(t, test.ways(estimate.Hub{Tier: size.Tier, Units: size.Units, Latency: size.Latency}, size), test.which)
				got := measure(t, size, test.lane)
				t.Logf("%d calls in %s, estimated %s", got.Total(), got.Took, want.Takes)
				off := got.Took - want.Takes
				if got.Total() != want.Calls || got.Refused > 0 || off.Abs() > want.Takes/100+size.Latency {
					t.Errorf("%d calls, %d refused, in %s; estimated %d in %s", got.Total(), got.Refused, got.Took, want.Calls, want.Takes)
				}
			})
		})
	}
}

func reading(h estimate.Hub, s virtual.Size) []estimate.Way {
	return estimate.Reading(h, estimate.Fleet{Devices: s.Devices, Selected: s.Devices, Narrowed: s.Changing(), Counts: 2})
}

func writing(h estimate.Hub, s virtual.Size) []estimate.Way {
	return estimate.Writing(h, estimate.Changes{Twins: s.Changing(), AtOnce: 8})
}

func find(t *testing.T, ways []estimate.Way, name string) estimate.Way {
	for _, w := range ways {
		if w.Name == name {
			return w
		}
	}
	t.Fatalf("there is no way %q", name)
	return estimate.Way{}
}

func measure(t *testing.T, size virtual.Size, lane virtual.Lane) virtual.Measurement {
	h, err := virtual.Start(size, signingKey())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
	}()
	m, err := h.Measure(t.Context(), lane)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
