package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/twinrules/twinrules/rules"
)

// A Spending is what plugins used to compute a plan. It is no part of the plan's
// file: how often they are asked depends on what was known before, see [Seen].
type Spending struct {
	Budget  int64        // [Options.Fuel]; 0 for none
	Plugins []PluginFuel // of all rules that are not off, dearest first
}

// Total returns the units of all plugins.
func (s *Spending) Total() (n int64) {
	for _, p := range s.Plugins {
		n += p.Fuel
	}
	return n
}

// String names the plugins with what they used.
func (s *Spending) String() string {
	var list []string
	for _, p := range s.Plugins {
		noun := "rule "
		if len(p.Rules) > 1 {
			noun = "rules "
		}
		list = append(list, fmt.Sprintf("%s %d (%s%s)", p.Plugin, p.Fuel, noun, strings.Join(p.Rules, ", ")))
	}
	return strings.Join(list, ", ")
}

// PluginFuel is what one plugin used.
type PluginFuel struct {
	Plugin string   `json:"plugin"`
	Fuel   int64    `json:"fuel"`  // units
	Rules  []string `json:"rules"` // that asked it, in the order of the pack
}

// NewSpending adds up what each plugin of a pack used, of a bill by rules.
func NewSpending(pack *rules.Pack, budget int64, bill []int64) Spending {
	s := Spending{Budget: budget}
	for i, r := range pack.Rules {
		if r.Plugin == nil || r.Mode == rules.Off {
			continue
		}
		at := slices.IndexFunc(s.Plugins, func(p PluginFuel) bool { return p.Plugin == r.Plugin.Use })
		if at < 0 {
			at = len(s.Plugins)
			s.Plugins = append(s.Plugins, PluginFuel{Plugin: r.Plugin.Use})
		}
		p := &s.Plugins[at]
		p.Rules = append(p.Rules, r.ID)
		if bill != nil {
			p.Fuel += bill[i]
		}
	}
	s.sort()
	return s
}

// Add adds what plugins of the same pack used elsewhere.
func (s *Spending) Add(other Spending) {
	for _, p := range other.Plugins {
		if at := slices.IndexFunc(s.Plugins, func(o PluginFuel) bool { return o.Plugin == p.Plugin }); at >= 0 {
			s.Plugins[at].Fuel += p.Fuel
		} else {
			s.Plugins = append(s.Plugins, p)
		}
	}
	s.sort()
}

func (s *Spending) sort() {
	slices.SortFunc(s.Plugins, func(a, b PluginFuel) int {
		return cmp.Or(cmp.Compare(b.Fuel, a.Fuel), strings.Compare(a.Plugin, b.Plugin))
	})
}

// A FuelError says that plugins used more than a run may.
type FuelError struct{ Spending }

func (e *FuelError) Error() string {
	return fmt.Sprintf("plugins used more than the %d units of fuel that a run may use: %s", e.Budget, &e.Spending)
}

// A purse holds the fuel of one reading of the twins. They are judged in parts that
// are numbered from 0 as they were read, and the purse is empty with the first part
// at whose end those up to it have used too much: which that is, and what they used
// until then, does not depend on how many workers there are or who was faster.
type purse struct {
	most   int64
	empty  context.CancelCauseFunc
	mu     sync.Mutex
	next   int             // the first part that has not ended
	ended  map[int][]int64 // parts behind it, by rule
	used   []int64         // by those before it
	failed bool
}

// purse returns what limits a reading of the twins, nil where nothing does, and the
// context in which it goes on for as long as there is fuel.
func (e *evaluation) purse(ctx context.Context) (*purse, context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	if e.opts.Fuel == 0 || e.program.Pack.NewBill() == nil {
		return nil, ctx, cancel
	}
	return &purse{most: e.opts.Fuel, empty: cancel, ended: map[int][]int64{}, used: make([]int64, len(e.program.Pack.Rules))}, ctx, cancel
}

// pay takes what a part used.
func (p *purse) pay(part int, bill *rules.Bill, pack *rules.Pack) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended[part] = slices.Clone(bill.Rules)
	for !p.failed && p.ended[p.next] != nil {
		add(p.used, p.ended[p.next])
		delete(p.ended, p.next)
		p.next++
		if sum(p.used) > p.most {
			p.failed = true
			p.empty(&FuelError{NewSpending(pack, p.most, p.used)})
		}
	}
}

// isFuel reports whether ctx ended because a purse is empty. Where that is so there
// is nothing wrong with any part up to where it became empty, or it would not have
// ended; what is wrong behind it is found or not, and not told.
func isFuel(ctx context.Context) bool {
	var e *FuelError
	return errors.As(context.Cause(ctx), &e)
}

func sum(list []int64) (n int64) {
	for _, v := range list {
		n += v
	}
	return n
}

func add(to, from []int64) {
	for i, n := range from {
		to[i] += n
	}
}

// over reports whether the part that w is at has used by itself what all may: the
// rest of it is not judged any more.
func (w *worker) over() bool {
	return w.purse != nil && w.moment.Bill.Total > w.purse.most
}

// end ends a part.
func (w *worker) end(part int) {
	bill := w.moment.Bill
	if bill == nil {
		return
	}
	add(w.sum.fuel, bill.Rules)
	if w.purse != nil {
		w.purse.pay(part, bill, w.program.Pack)
	}
	bill.Reset()
}
