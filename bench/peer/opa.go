package peer

import (
	"bytes"
	"context"
	"errors"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/twinrules/twinrules/bench/pack"
)

// opa asks one query for all rules, of input that OPA parsed itself, which is
// its fastest way in.
func opa(rules []pack.Rule) (decide, error) {
	ctx := context.Background()
	query, err := rego.New(rego.Query("data.race.hit"), rego.Module("race.rego", pack.Policy(rules))).PrepareForEval(ctx)
	if err != nil {
		return nil, err
	}
	numbers := map[string]int{}
	for i, r := range rules {
		numbers[r.ID] = i
	}
	id, module := ast.StringTerm("deviceId"), ast.StringTerm("moduleId")
	return func(line []byte, hits []int) ([]int, map[string]any, bool, error) {
		input, err := ast.ValueFromReader(bytes.NewReader(line))
		if err != nil {
			return nil, nil, false, err
		}
		if o, ok := input.(ast.Object); !ok || o.Get(id) == nil || o.Get(module) != nil {
			return nil, nil, false, nil
		}
		answer, err := query.Eval(ctx, rego.EvalParsedInput(input))
		if err != nil {
			return nil, nil, false, err
		}
		if len(answer) != 1 {
			return nil, nil, false, errors.New("the query has no answer")
		}
		for _, v := range answer[0].Expressions[0].Value.([]any) {
			hits = append(hits, numbers[v.(string)])
		}
		return hits, nil, true, nil
	}, nil
}
