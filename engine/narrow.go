package engine

import (
	"context"
	"fmt"

	"github.com/twinrules/twinrules/rules"
)

// choose decides how the twins are listed, and counts the populations of which a
// part will be listed only: percent limits, minPopulation and the shrink check
// are of all that a selector holds for. It returns them by rule, and that of all
// the rules about devices together under "".
func (e *evaluation) choose(ctx context.Context, src Source) (map[string]int, error) {
	breadth := e.opts.Read
	counter, able := src.(Counter)
	if breadth == rules.ReadNarrowed && !able {
		breadth = rules.ReadSelected
	}
	e.listings = e.program.Listings(breadth)
	populations, known := map[string]int{}, map[string]int{}
	for _, l := range e.listings {
		for _, c := range l.Counts {
			if _, again := known[c.Query]; !again {
				n, err := counter.Count(ctx, c.Query)
				if err != nil {
					return nil, fmt.Errorf("count twins: %w", err)
				}
				known[c.Query] = n
			}
			populations[c.Rule] = known[c.Query]
		}
	}
	return populations, nil
}

// counted puts populations that were counted in the place of what was seen of
// them.
func (s *tally) counted(populations map[string]int) {
	for rule, n := range populations {
		if rule == "" {
			s.selectedDevices = n
		} else {
			s.rule(rule).Population = n
		}
	}
}
