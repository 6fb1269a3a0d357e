package engine_test

import (
	"context"
	"fmt"
	"iter"
	"testing/fstest"
	"time"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// A shelf is a hub with two twins and no throttling.
type shelf map[twin.Ref]*twin.Twin

func (s shelf) Twins(context.Context, string) iter.Seq2[*twin.Twin, error] {
	return func(yield func(*twin.Twin, error) bool) {
		for _, t := range s {
			if !yield(t, nil) {
				return
			}
		}
	}
}

func (s shelf) Configurations(context.Context) iter.Seq2[*twin.Configuration, error] {
	return func(func(*twin.Configuration, error) bool) {}
}

func (s shelf) Twin(_ context.Context, ref twin.Ref) (*twin.Twin, error) { return s[ref], nil }

func (s shelf) PatchTwin(_ context.Context, ref twin.Ref, p twin.Patch, etag string) (*twin.Twin, error) {
	if s[ref].ETag != etag {
		return nil, twin.ErrChanged
	}
	s[ref] = s[ref].With(p)
	return s[ref], nil
}

// reefers returns two devices of which one is low on battery.
func reefers() shelf {
	s := shelf{}
	for _, text := range []string{
		`{"deviceId":"reefer-1","etag":"A","properties":{"desired":{"interval":60},"reported":{"battery":{"pct":11}}}}`,
		`{"deviceId":"reefer-2","etag":"A","properties":{"desired":{"interval":60},"reported":{"battery":{"pct":95}}}}`,
	} {
		t, err := twin.Parse([]byte(text))
		if err != nil {
			panic(err)
		}
		s[t.Ref] = t
	}
	return s
}

// powerSave compiles a pack with one rule, which asks for that interval.
func powerSave(interval int) *rules.Program {
	text := `apiVersion: twinrules/v1
kind: RulePack
metadata: {name: cold-chain}
rules:
  - id: power-save
    when: reported.battery.pct < 20
    limits: {maxPercent: 50}
    patch: {desired: {interval: %d}}
limits: {maxPercent: 50}
`
	pack, err := rules.Load(fstest.MapFS{"pack.yaml": {Data: fmt.Appendf(nil, text, interval)}})
	if err != nil {
		panic(err)
	}
	program, err := rules.Compile(context.Background(), pack, nil)
	if err != nil {
		panic(err)
	}
	return program
}

func plan(s shelf, p *rules.Program) *engine.Plan {
	at := rules.Moment{Now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), Hub: "contoso.azure-devices.net"}
	plan, err := engine.Evaluate(context.Background(), p, s, &engine.Options{Moment: at})
	if err != nil {
		panic(err)
	}
	return plan
}

func ExampleEvaluate() {
	plan := plan(reefers(), powerSave(900))
	for c, err := range plan.Changes.All() {
		if err != nil {
			panic(err)
		}
		for _, e := range c.Edits {
			fmt.Println(c.Ref, e.Name(), e.Before, "→", e.After, e.Rules)
		}
	}
	fmt.Println(plan.Summary().Twins, "of", plan.Fleet.Devices, "devices would be written")
	// Output:
	// devices/reefer-1 desired.interval 60 → 900 [power-save]
	// 1 of 2 devices would be written
}

func ExampleApply() {
	hub := reefers()
	receipt, err := engine.Apply(context.Background(), plan(hub, powerSave(900)), hub, newNotebook(), nil)
	fmt.Println(receipt.Count(engine.Written), "written,", receipt.Complete(), err)
	fmt.Println("what is left:", plan(hub, powerSave(900)).Changes.Len())
	// Output:
	// 1 written, true <nil>
	// what is left: 0
}

func ExampleCompare() {
	hub := reefers()
	d, err := engine.Compare(plan(hub, powerSave(900)), plan(hub, powerSave(600)))
	if err != nil {
		panic(err)
	}
	for c, err := range d.Changes.All() {
		if err != nil {
			panic(err)
		}
		for _, e := range c.Edits {
			fmt.Println(c.Ref, e.Class, e.Name(), e.Base, "→", e.After)
		}
	}
	// Output:
	// devices/reefer-1 altered desired.interval 900 → 600
}

// A second pass looks at nothing again that has not changed since the first.
func ExampleSeen() {
	seen, fleet := &engine.Seen{}, reefers()
	for range 2 {
		plan, err := engine.Evaluate(context.Background(), powerSave(900), fleet, &engine.Options{Seen: seen})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(plan.Changes.Len(), "changes,", seen.Known(), "known")
	}
	// Output:
	// 1 changes, 0 known
	// 1 changes, 1 known
}
