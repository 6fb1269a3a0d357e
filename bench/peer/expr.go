package peer

import (
	"encoding/json"
	"fmt"

	"github.com/bytedance/sonic"
	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"github.com/twinrules/twinrules/bench/pack"
)

// naive is what one writes first.
func naive(rules []pack.Rule) (decide, error) {
	programs, err := compileExpr(rules)
	if err != nil {
		return nil, err
	}
	return onMaps(json.Unmarshal, func(document map[string]any, hits []int) ([]int, error) {
		return eachRule(len(programs), hits, func(i int) (any, error) { return expr.Run(programs[i], document) })
	}), nil
}

// sonicExpr is the same with the fastest decoder into maps and one machine.
func sonicExpr(rules []pack.Rule) (decide, error) {
	programs, err := compileExpr(rules)
	if err != nil {
		return nil, err
	}
	var machine vm.VM
	return onMaps(sonic.ConfigFastest.Unmarshal, func(document map[string]any, hits []int) ([]int, error) {
		return eachRule(len(programs), hits, func(i int) (any, error) { return machine.Run(programs[i], document) })
	}), nil
}

func compileExpr(rules []pack.Rule) ([]*vm.Program, error) {
	options := []expr.Option{
		expr.AllowUndefinedVariables(),
		expr.Function("semverLess", func(a ...any) (any, error) { return pack.VersionLess(a[0].(string), a[1].(string)), nil }, new(func(string, string) bool)),
		expr.Function("hoursSince", func(a ...any) (any, error) { return pack.HoursSince(a[0].(string)), nil }, new(func(string) float64)),
	}
	programs := make([]*vm.Program, len(rules))
	for i, r := range rules {
		var err error
		if programs[i], err = expr.Compile(pack.Expr(r.When), options...); err != nil {
			return nil, fmt.Errorf("rule %s: %w", r.ID, err)
		}
	}
	return programs, nil
}

// onMaps decides devices that are decoded into maps.
func onMaps(decode func([]byte, any) error, rules func(document map[string]any, hits []int) ([]int, error)) decide {
	return func(line []byte, hits []int) ([]int, map[string]any, bool, error) {
		var document map[string]any
		if err := decode(line, &document); err != nil {
			return nil, nil, false, err
		}
		if document["deviceId"] == nil || document["moduleId"] != nil {
			return nil, nil, false, nil
		}
		hits, err := rules(document, hits)
		return hits, document, true, err
	}
}

// eachRule appends to hits the numbers of the rules that ask says true of.
func eachRule(n int, hits []int, ask func(i int) (any, error)) ([]int, error) {
	for i := range n {
		holds, err := ask(i)
		if err != nil {
			return nil, fmt.Errorf("rule %d: %w", i, err)
		}
		if holds == true {
			hits = append(hits, i)
		}
	}
	return hits, nil
}
