package virtual

import (
	"context"
	"fmt"
	"sync"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/estimate"
	"github.com/twinrules/twinrules/hub/twin"
)

// Narrowed reads as "plan --read narrowed" does of a pack with one rule: the
// configurations, two counts, and who is concerned.
func Narrowed(ctx context.Context, h *Hub, c *hub.Client) error {
	for range 2 {
		for _, err := range c.NewRegistryClient().Rows(ctx, Counted, nil) {
			if err != nil {
				return err
			}
		}
	}
	return list(ctx, c, Concerned, h.Changing())
}

// Whole reads as "plan --read all" does.
func Whole(ctx context.Context, h *Hub, c *hub.Client) error {
	return list(ctx, c, Everybody, h.Devices)
}

// list reads configurations and what a query lists.
func list(ctx context.Context, c *hub.Client, query string, want int) error {
	if err := configurations(ctx, c); err != nil {
		return err
	}
	n := 0
	for _, err := range c.Twins(ctx, query) {
		if err != nil {
			return err
		}
		n++
	}
	if n != want {
		return fmt.Errorf("%s: %d twins, and there are %d", query, n, want)
	}
	return nil
}

func configurations(ctx context.Context, c *hub.Client) error {
	for _, err := range c.Configurations(ctx) {
		if err != nil {
			return err
		}
	}
	return nil
}

// PointReads reads the configurations, and each twin of an inventory, as many at
// once.
func PointReads(atOnce int) Lane {
	return func(ctx context.Context, h *Hub, c *hub.Client) error {
		if err := configurations(ctx, c); err != nil {
			return err
		}
		return getEach(ctx, h, c, atOnce)
	}
}

func getEach(ctx context.Context, h *Hub, c *hub.Client, atOnce int) error {
	return each(h.Devices, 1, atOnce, func(ref twin.Ref) error {
		_, err := c.Twin(ctx, ref)
		return err
	})
}

// Patches writes each that is to change, as many at once, under its etag, after a
// look at the first ones, as apply does.
func Patches(atOnce int) Lane {
	return func(ctx context.Context, h *Hub, c *hub.Client) error {
		for i := range min(estimate.Samples, h.Changing()) {
			if _, err := c.Twin(ctx, twin.Ref{Device: name(i * h.Every)}); err != nil {
				return err
			}
		}
		return patchEach(ctx, h, c, atOnce)
	}
}

func patchEach(ctx context.Context, h *Hub, c *hub.Client, atOnce int) error {
	etags := map[twin.Ref]string{}
	for t := range h.emulator.Twins() {
		etags[t.Ref] = t.ETag
	}
	return each(h.Devices, h.Every, atOnce, func(ref twin.Ref) error {
		_, err := c.PatchTwin(ctx, ref, twin.Patch{Desired: twin.Object{"slow": true}}, etags[ref])
		return err
	})
}

// Naive is the loop that everybody writes first: list the names, get each twin,
// patch those that are to change. It is given our pacer, and as many requests at
// once as it likes, so that it never waits longer than the hub's limits make it.
func Naive(atOnce int) Lane {
	return func(ctx context.Context, h *Hub, c *hub.Client) error {
		for _, err := range c.NewRegistryClient().Rows(ctx, "SELECT deviceId FROM devices", nil) {
			if err != nil {
				return err
			}
		}
		if err := getEach(ctx, h, c, atOnce); err != nil {
			return err
		}
		return patchEach(ctx, h, c, atOnce)
	}
}

// each calls do for one in every so many devices, for so many at once, and
// returns the first error.
func each(devices, every, atOnce int, do func(twin.Ref) error) error {
	refs := make(chan twin.Ref)
	var wg sync.WaitGroup
	var once sync.Once
	var first error
	for range atOnce {
		wg.Go(func() {
			for ref := range refs {
				if err := do(ref); err != nil {
					once.Do(func() { first = err })
				}
			}
		})
	}
	for i := 0; i < devices; i += every {
		refs <- twin.Ref{Device: name(i)}
	}
	close(refs)
	wg.Wait()
	return first
}
