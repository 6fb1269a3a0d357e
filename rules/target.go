package rules

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/twinrules/twinrules/hub/query"
	"github.com/twinrules/twinrules/hub/twin"
)

// A target says to which twins the hub applies a configuration, as far as that is
// known.
type target struct {
	none  bool       // to none
	where query.Expr // nil: to all of its kind
	doubt string     // why where could not be read; "" when it was
}

var modulePrefix = regexp.MustCompile(`(?is)^\s*from\s+devices\.modules(\s+where\s+|\s*$)`)

// parseTarget reads a target condition: "" for none, "*" for all, or what stands
// behind WHERE. That of modules begins with FROM devices.modules.
func parseTarget(text string, modules bool) target {
	if strings.TrimSpace(text) == "" {
		return target{none: true}
	}
	if modules {
		prefix := modulePrefix.FindString(text)
		if prefix == "" {
			return target{doubt: "its target condition is not one of modules"}
		}
		text = text[len(prefix):]
	}
	if text = strings.TrimSpace(text); text == "*" || text == "" {
		return target{}
	}
	where, err := query.ParseCondition(text)
	if err != nil {
		return target{doubt: "its target condition cannot be read"}
	}
	return target{where: where}
}

// holds reports whether the hub applies the configuration to t. Where that is
// not certain it says yes, and why: a fight with the hub over a device never
// ends, an id in allowForeign does.
func (t target) holds(doc *twin.Twin) (yes bool, doubt string) {
	switch {
	case t.none:
		return false, ""
	case t.where == nil:
		return true, t.doubt
	}
	switch o := possible(t.where, doc); {
	case o&isTrue == 0:
		return false, ""
	case o == isTrue:
		return true, ""
	}
	return true, "what the hub makes of its target condition for this twin is not known"
}

// outcomes is a set of answers that the hub may give to a condition.
type outcomes uint8

const (
	isTrue outcomes = 1 << iota
	isFalse
	isUndefined
	anything = isTrue | isFalse | isUndefined
)

// possible returns what the hub may make of e for t. Certain are comparisons of
// numbers, of bools, and of texts that are equal or differ in more than case, and
// whether a path is defined. What becomes of a negation of undefined, of other
// types, of the case of letters and of their order is documented nowhere.
func possible(e query.Expr, t *twin.Twin) outcomes {
	switch e := e.(type) {
	case query.Literal:
		if b, ok := e.Value.(bool); ok {
			return certainly(b)
		}
	case query.Not:
		return negation(possible(e.X, t))
	case query.Call:
		if e.Name == "IS_DEFINED" {
			return certainly(query.Holds(e, t))
		}
	case query.Binary:
		return possibleBinary(e, t)
	}
	return anything
}

func certainly(b bool) outcomes {
	if b {
		return isTrue
	}
	return isFalse
}

func negation(o outcomes) (out outcomes) {
	if o&isTrue != 0 {
		out |= isFalse
	}
	if o&isFalse != 0 {
		out |= isTrue
	}
	if o&isUndefined != 0 {
		out |= isTrue | isUndefined
	}
	return out
}

func possibleBinary(e query.Binary, t *twin.Twin) outcomes {
	switch e.Op {
	case "AND":
		return jointly(possible(e.Left, t), possible(e.Right, t))
	case "OR":
		return either(possible(e.Left, t), possible(e.Right, t))
	case "IN":
		return possibleIn(e, t)
	case "NIN":
		return negation(possibleIn(e, t))
	}
	return possibleComparison(e.Op, e.Left, e.Right, t)
}

// jointly returns what a AND b may be: false where one is, true where both are,
// and else undefined.
func jointly(a, b outcomes) (out outcomes) {
	if a == isFalse || b == isFalse {
		return isFalse
	}
	out = a&b&isTrue | (a|b)&isFalse
	if a&isUndefined != 0 && b&^isFalse != 0 || b&isUndefined != 0 && a&^isFalse != 0 {
		out |= isUndefined
	}
	return out
}

// either returns what a OR b may be: true where one is, false where both are, and
// else undefined.
func either(a, b outcomes) (out outcomes) {
	if a == isTrue || b == isTrue {
		return isTrue
	}
	out = (a|b)&isTrue | a&b&isFalse
	if a&isUndefined != 0 && b&^isTrue != 0 || b&isUndefined != 0 && a&^isTrue != 0 {
		out |= isUndefined
	}
	return out
}

func possibleIn(e query.Binary, t *twin.Twin) outcomes {
	list, ok := e.Right.(query.List)
	if !ok {
		return anything
	}
	out := isFalse
	for _, l := range list {
		out = either(out, possibleComparison("=", e.Left, l, t))
	}
	return out
}

// possibleComparison compares a path with a constant; of other comparisons
// nothing is certain.
func possibleComparison(op string, left, right query.Expr, t *twin.Twin) outcomes {
	path, isPath := left.(query.Path)
	literal, isLiteral := right.(query.Literal)
	if !isPath || !isLiteral {
		path, isPath = right.(query.Path)
		literal, isLiteral = left.(query.Literal)
	}
	if !isPath || !isLiteral {
		return anything
	}
	value, known := valueAt(path, t)
	switch {
	case !known:
		return anything
	case value == nil && op != "!=":
		return isFalse | isUndefined
	case value == nil:
		return anything
	}
	return sameType(op, query.Binary{Op: op, Left: left, Right: right}, value, literal.Value, t)
}

func sameType(op string, e query.Binary, value, constant any, t *twin.Twin) outcomes {
	switch v := value.(type) {
	case json.Number:
		if _, ok := constant.(json.Number); ok {
			return certainly(query.Holds(e, t))
		}
	case bool:
		if _, ok := constant.(bool); ok && (op == "=" || op == "!=") {
			return certainly(query.Holds(e, t))
		}
	case string:
		c, ok := constant.(string)
		if sure := v == c || !strings.EqualFold(v, c); ok && sure && (op == "=" || op == "!=") {
			return certainly(query.Holds(e, t))
		}
	}
	return anything
}

// valueAt returns what stands at a path that target conditions may read; nil for
// nothing.
func valueAt(p query.Path, t *twin.Twin) (value any, known bool) {
	switch {
	case len(p) == 1 && p[0] == "deviceId":
		return t.Ref.Device, true
	case len(p) == 1 && p[0] == "moduleId":
		return present(t.Ref.Module), true
	case p[0] == "tags":
		value, _ = t.Tags().Lookup(p[1:]...)
		return value, true
	case len(p) > 1 && p[0] == "properties" && p[1] == "reported":
		value, _ = t.Reported().Lookup(p[2:]...)
		return value, true
	}
	return nil, false
}
