// Command hubtime prints what reading and writing fleets costs a hub in calls and
// time: the ways that plan --estimate picks, beside the loop that everybody writes
// first (list the names, get each twin, patch those that are to change), and what
// was estimated beside what was measured.
//
// It measures on the emulator, which keeps to the documented limits of a tier, and
// in virtual time: nothing in its table was measured on a hub in Azure. The twins
// are small, and answers take the time of -latency. Lanes with a request for each
// twin of a fleet are gone up to -each devices; for larger fleets their figures are
// those of -each, multiplied, and marked with "~",
// which flatters the naive loop: the first requests, which nothing holds back, are
// multiplied, too.
//
// Start with main; lane.go measures and table.go prints. What the lanes do is in
// package hub/estimate/virtual.
package main

import (
	"crypto/rand"
	"crypto/rsa"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/estimate"
	"github.com/twinrules/twinrules/hub/estimate/virtual"
)

func main() {
	sizes := flag.String("devices", "10000,100000,1000000", "sizes of fleets")
	hubs := flag.String("hubs", "S1x1,S1x10,S2x10,S3x1", "tiers with their units")
	latency := flag.Duration("latency", estimate.SeenLatency, "what an answer takes")
	each := flag.Int("each", 100_000, "devices of the largest fleet of which each twin is got")
	testing.Init() // a bubble of synctest belongs to a test
	all := func(string, string) (bool, error) { return true, nil }
	testing.Main(all, []testing.InternalTest{{Name: "hubtime", F: func(t *testing.T) {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		b := &bench{out: os.Stdout, key: key, latency: *latency, each: *each, gone: map[virtual.Size]measured{}}
		if err := b.run(t, *sizes, *hubs); err != nil {
			t.Error(err)
		}
	}}}, nil, nil)
}

// run measures all hubs of all sizes.
func (b *bench) run(t *testing.T, sizes, hubs string) error {
	b.head()
	for _, text := range strings.Split(sizes, ",") {
		devices, err := strconv.Atoi(text)
		if err != nil || devices < 1 {
			return fmt.Errorf("-devices: %q is no number of devices", text)
		}
		for _, text := range strings.Split(hubs, ",") {
			size, err := sizeOf(text, devices, b.latency)
			if err != nil {
				return err
			}
			synctest.Test(t, func(t *testing.T) { err = b.rows(t.Context(), size) })
			if err != nil {
				return fmt.Errorf("%s with %d devices: %w", text, devices, err)
			}
		}
	}
	return nil
}

// oneIn is how many devices there are for one that changes: 2 % do.
const oneIn = 50

// sizeOf reads a hub such as S1x10.
func sizeOf(text string, devices int, latency time.Duration) (virtual.Size, error) {
	tier, units, _ := strings.Cut(text, "x")
	n, err := strconv.Atoi(units)
	if err != nil || n < 1 {
		return virtual.Size{}, fmt.Errorf("-hubs: %q is no tier with units, such as S1x10", text)
	}
	return virtual.Size{Devices: devices, Every: oneIn, Tier: hub.Tier(tier), Units: n, Latency: latency}, nil
}
