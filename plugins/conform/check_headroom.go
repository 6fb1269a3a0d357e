package conform

import (
	"fmt"
	"slices"
)

// headroom sees to it that fuel is left for twins that are bigger than those that
// were thought of.
var headroom = &Check{Name: "headroom", Doc: "99 of 100 calls need at most half of the fuel that there is", run: func(k *kit) error {
	var fuel []int64
	grows, least := 0, k.memory()
	for _, s := range k.all() {
		fuel = append(fuel, s.said.fuel)
		if s.said.memory > least {
			grows++
		}
	}
	if len(fuel) == 0 {
		return nil
	}
	slices.Sort(fuel)
	most := fuel[(len(fuel)*99+99)/100-1]
	name := fmt.Sprintf("%d of %d units of fuel, %d of %d KiB of memory", k.report.Fuel.Most, k.report.Fuel.Limit, k.report.Memory.Most>>10, k.report.Memory.Limit>>10)
	if limit := k.report.Fuel.Limit; most > limit/2 {
		k.failed(name, fmt.Sprintf("99 of 100 calls need up to %d units of fuel, which is more than half of %d", most, limit))
	} else {
		k.passed(name)
	}
	if grows*10 > len(fuel) {
		k.note("its memory grew in %d of %d calls, and an instance that grew is made anew: let it start with more", grows, len(fuel))
	}
	return nil
}}

// memory returns the least that an answer was given with.
func (k *kit) memory() int64 {
	least := k.report.Memory.Most
	for _, s := range k.all() {
		if s.said.memory > 0 {
			least = min(least, s.said.memory)
		}
	}
	return least
}
