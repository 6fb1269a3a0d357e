package peer

import (
	"github.com/goccy/go-json"

	"github.com/twinrules/twinrules/bench/pack"
)

// typed is what one writes who knows the rules at compile time.
func typed(rules []pack.Rule) (decide, error) {
	return func(line []byte, hits []int) ([]int, map[string]any, bool, error) {
		t := &pack.Twin{}
		if err := json.Unmarshal(line, t); err != nil {
			return nil, nil, false, err
		}
		if t.DeviceID == "" || t.ModuleID != "" {
			return nil, nil, false, nil
		}
		for i := range rules {
			if rules[i].Go(t) {
				hits = append(hits, i)
			}
		}
		return hits, nil, true, nil
	}, nil
}
