package main

import (
	"context"
	"crypto/rsa"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/twinrules/twinrules/hub/estimate"
	"github.com/twinrules/twinrules/hub/estimate/virtual"
)

// A bench measures hubs and prints a table.
type bench struct {
	out     io.Writer
	key     *rsa.PrivateKey
	latency time.Duration
	each    int                       // devices of the largest fleet of which each twin is got
	gone    map[virtual.Size]measured // of lanes with a request for each twin
}

func (b *bench) head() {
	fmt.Fprintf(b.out, "Virtual time on the emulator, answers in %s; 2 %% of the devices change; ~ multiplied from %d devices.\n\n", b.latency, b.each)
	fmt.Fprintf(b.out, "%-8s %9s  %-26s %10s %14s %14s %8s\n", "hub", "devices", "lane", "calls", "time", "estimated", "off by")
}

// rows measures the lanes of one hub and prints them, and how the picks compare
// with the naive loop.
func (b *bench) rows(ctx context.Context, size virtual.Size) error {
	took, err := b.measure(ctx, size)
	if err != nil {
		return err
	}
	for _, l := range lanes {
		b.row(size, l, took[l.name])
	}
	for _, read := range []lane{narrowed, everybody} {
		b.compare(size, read.name[len("read: "):], took[read.name], took[patches.name], took[naive.name])
	}
	fmt.Fprintln(b.out)
	return nil
}

// factor is by how much what a lane with a request for each twin took is to be
// multiplied.
func (b *bench) factor(size virtual.Size) float64 {
	return max(1, float64(size.Devices)/float64(b.each))
}

func (b *bench) row(size virtual.Size, l lane, m virtual.Measurement) {
	calls, took, mark := float64(m.Total()), m.Took, ""
	if f := b.factor(size); l.each && f > 1 {
		calls, took, mark = calls*f, time.Duration(float64(took)*f), "~"
	}
	expected := estimated(size, l.ways)
	fmt.Fprintf(b.out, "%-8s %9d  %-26s %10s %14s %14s %8s\n", fmt.Sprintf("%s x %d", size.Tier, size.Units), size.Devices, l.name,
		mark+fmt.Sprintf("%.0f", calls), mark+estimate.Show(took), estimate.Show(expected), fmt.Sprintf("%+.1f %%", 100*(expected.Seconds()/took.Seconds()-1)))
	if m.Refused > 0 {
		fmt.Fprintf(b.out, "%18s  %d requests were refused with 429\n", "", m.Refused)
	}
}

// estimated is what plan --estimate says of some ways together.
func estimated(size virtual.Size, names []string) (takes time.Duration) {
	h := estimate.Hub{Tier: size.Tier, Units: size.Units, Latency: size.Latency}
	ways := append(estimate.Reading(h, estimate.Fleet{Devices: size.Devices, Selected: size.Devices, Narrowed: size.Changing(), Counts: 2}),
		estimate.Writing(h, estimate.Changes{Twins: size.Changing(), AtOnce: writers})...)
	for _, w := range ways {
		if slices.Contains(names, w.Name) {
			takes += w.Takes
		}
	}
	return takes
}

// compare prints how much less reading in a way and patching takes than the naive
// loop.
func (b *bench) compare(size virtual.Size, way string, read, write, all virtual.Measurement) {
	f := b.factor(size)
	fmt.Fprintf(b.out, "%18s  %s and patches: %.1fx fewer calls, %.1fx less time than the naive loop\n", "", way,
		float64(all.Total())*f/float64(read.Total()+write.Total()), all.Took.Seconds()*f/(read.Took+write.Took).Seconds())
}
