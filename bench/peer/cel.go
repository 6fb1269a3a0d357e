package peer

import (
	"encoding/json"
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/twinrules/twinrules/bench/pack"
)

func celGo(rules []pack.Rule) (decide, error) {
	env, err := celEnvironment()
	if err != nil {
		return nil, err
	}
	programs := make([]cel.Program, len(rules))
	for i, r := range rules {
		checked, issues := env.Compile(pack.CEL(r.When))
		if issues.Err() != nil {
			return nil, fmt.Errorf("rule %s: %w", r.ID, issues.Err())
		}
		if programs[i], err = env.Program(checked, cel.EvalOptions(cel.OptOptimize)); err != nil {
			return nil, fmt.Errorf("rule %s: %w", r.ID, err)
		}
	}
	return onMaps(json.Unmarshal, func(document map[string]any, hits []int) ([]int, error) {
		activation, err := cel.NewActivation(document)
		if err != nil {
			return nil, err
		}
		return eachRule(len(programs), hits, func(i int) (any, error) {
			v, _, err := programs[i].Eval(activation)
			return v == types.True, err
		})
	}), nil
}

func celEnvironment() (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.OptionalTypes(),
		cel.Function("semverLess", cel.Overload("semverLess_dyn_string", []*cel.Type{cel.DynType, cel.StringType}, cel.BoolType, cel.BinaryBinding(celLess))),
		cel.Function("num", cel.Overload("num_dyn_double", []*cel.Type{cel.DynType, cel.DoubleType}, cel.DoubleType, cel.BinaryBinding(celNumber))),
	}
	for _, name := range []string{"deviceId", "status", "connectionState", "lastActivityTime", "tags", "properties"} {
		options = append(options, cel.Variable(name, cel.DynType))
	}
	return cel.NewEnv(options...)
}

func celLess(a, b ref.Val) ref.Val {
	x, _ := a.Value().(string)
	y, _ := b.Value().(string)
	return types.Bool(pack.VersionLess(x, y))
}

// celNumber is the number in an optional, else b.
func celNumber(a, b ref.Val) ref.Val {
	if o, ok := a.(*types.Optional); ok {
		if !o.HasValue() {
			return b
		}
		a = o.GetValue()
	}
	if f, ok := a.Value().(float64); ok {
		return types.Double(f)
	}
	return b
}
