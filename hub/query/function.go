package query

import (
	"slices"
	"strings"
)

// A Function can be called in a condition.
type Function struct {
	Name string // in capitals
	Args int    // how many it takes
	Doc  string
	eval func(args []any) any
}

// Functions lists the functions known to work in twin queries. IS_DEFINED is
// documented; the others are in use by tools of Microsoft. The hub has more, but
// those belong to the routing of messages and are refused for twins.
func Functions() []*Function { return []*Function{isDefined, startsWith, arrayContains} }

var isDefined = &Function{
	Name: "IS_DEFINED", Args: 1,
	Doc: "whether there is a value at the path",
	eval: func(args []any) any {
		return args[0] != any(Undefined{})
	},
}

var startsWith = &Function{
	Name: "STARTSWITH", Args: 2,
	Doc: "whether the first string begins with the second; without underscore, STARTS_WITH is refused by the hub",
	eval: func(args []any) any {
		s, ok1 := args[0].(string)
		prefix, ok2 := args[1].(string)
		if !ok1 || !ok2 {
			return Undefined{}
		}
		return strings.HasPrefix(s, prefix)
	},
}

var arrayContains = &Function{
	Name: "ARRAY_CONTAINS", Args: 2,
	Doc: "whether the array has an element equal to the value",
	eval: func(args []any) any {
		list, isArray := args[0].([]any)
		if !isArray {
			return Undefined{}
		}
		return slices.ContainsFunc(list, func(have any) bool { return compare("=", have, args[1]) == true })
	},
}

// function returns the function that t names.
func function(t token) *Function {
	var names []string
	for _, f := range Functions() {
		if strings.EqualFold(f.Name, t.text) {
			return f
		}
		names = append(names, f.Name)
	}
	fail(t.offset, "no function %q in twin queries; there are %s", t.text, strings.Join(names, ", "))
	return nil
}

func evalCall(c Call, d document) any {
	for _, f := range Functions() {
		if f.Name == c.Name && f.Args == len(c.Args) {
			args := make([]any, len(c.Args))
			for i, arg := range c.Args {
				args[i] = eval(arg, d)
			}
			return f.eval(args)
		}
	}
	return Undefined{}
}
