package main

import (
	"context"
	"errors"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/rules"
)

// A fuelTab is what plugins use in the tests of a pack, one after the other: the
// budget of a run is that of all of them together.
type fuelTab struct {
	pack   *rules.Pack
	budget int64
	bill   *rules.Bill     // of tests beside rules, and of mutants; nil where nothing limits them
	plans  engine.Spending // in tests on recorded fleets
}

// openTab returns the tab of one run and the context in which it goes on for as long
// as there is fuel.
func openTab(ctx context.Context, pack *rules.Pack) (*fuelTab, context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	t := &fuelTab{pack: pack, budget: placeOf(ctx).budget}
	if t.budget > 0 {
		t.bill = pack.NewBill()
	}
	if t.bill != nil {
		t.bill.Limit, t.bill.Over = t.budget, cancel
	}
	return t, ctx, cancel
}

// left returns [engine.Options.Fuel] for the next plan.
func (t *fuelTab) left() int64 {
	if t.bill == nil {
		return 0
	}
	return max(1, t.bill.Limit-t.bill.Total) // 0 would be any
}

// planned notes what a plan used, or how much it was when there was not enough for it,
// and returns what is wrong.
func (t *fuelTab) planned(plan *engine.Plan, err error) error {
	var spent engine.Spending
	if failed, ok := errors.AsType[*engine.FuelError](err); ok {
		spent = failed.Spending
	} else if err != nil {
		return err
	} else {
		spent = plan.Spending
	}
	if t.bill == nil {
		return nil
	}
	t.plans.Add(spent)
	t.bill.Limit -= spent.Total()
	return t.err()
}

// err returns an error when more was used than there is.
func (t *fuelTab) err() error {
	if t.bill == nil || t.bill.Total <= t.bill.Limit {
		return nil
	}
	all := engine.NewSpending(t.pack, t.budget, t.bill.Rules)
	all.Add(t.plans)
	return &engine.FuelError{Spending: all}
}
