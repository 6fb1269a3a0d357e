package query

import (
	"encoding/json"
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// expressions draws trees as And, Or and the parser make them.
func expressions(depth int) *rapid.Generator[Expr] {
	return rapid.Custom(func(t *rapid.T) Expr {
		if depth == 0 {
			return leaves().Draw(t, "leaf")
		}
		below := expressions(depth - 1)
		switch rapid.IntRange(0, 6).Draw(t, "kind") {
		case 0:
			return And(rapid.SliceOfN(below, 1, 4).Draw(t, "and")...)
		case 1:
			return Or(rapid.SliceOfN(below, 1, 4).Draw(t, "or")...)
		case 2:
			return Not{below.Draw(t, "not")}
		case 3:
			return negate(below.Draw(t, "negate"))
		case 4:
			op := rapid.SampledFrom([]string{"+", "-", "*", "/", "%", "=", "!=", "<", ">", "<=", ">="}).Draw(t, "op")
			return Binary{op, below.Draw(t, "left"), below.Draw(t, "right")}
		case 5:
			return Binary{rapid.SampledFrom([]string{"IN", "NIN"}).Draw(t, "op"), below.Draw(t, "left"), lists().Draw(t, "list")}
		}
		if rapid.Bool().Draw(t, "defined") {
			return Call{"IS_DEFINED", []Expr{paths().Draw(t, "path")}}
		}
		return Call{"STARTSWITH", []Expr{below.Draw(t, "a"), below.Draw(t, "b")}}
	})
}

func negate(e Expr) Expr { return Negate{e} }

func leaves() *rapid.Generator[Expr] {
	return rapid.OneOf(
		rapid.Map(paths(), func(p Path) Expr { return p }),
		rapid.Map(literals(), func(l Literal) Expr { return l }),
		rapid.Map(lists(), func(l List) Expr { return l }),
		rapid.Just[Expr](Undefined{}),
	)
}

func lists() *rapid.Generator[List] {
	return rapid.Map(rapid.SliceOfN(literals(), 1, 4), func(l []Literal) List { return l })
}

func paths() *rapid.Generator[Path] {
	return rapid.Custom(func(t *rapid.T) Path {
		root := rapid.SampledFrom([]string{"tags", "deviceId", "properties", "devices", "odd one"}).Draw(t, "root")
		key := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z$_][a-z0-9-]{0,5}`), rapid.SampledFrom(reserved))
		return append(Path{root}, rapid.SliceOfN(key, 0, 3).Draw(t, "keys")...)
	}).Filter(Path.Valid)
}

func literals() *rapid.Generator[Literal] {
	return rapid.OneOf(
		rapid.Map(rapid.String(), String),
		rapid.Map(numbers(), Number),
		rapid.Map(rapid.Bool(), func(b bool) Literal { return Literal{b} }),
		rapid.Just(Literal{nil}),
	)
}

func numbers() *rapid.Generator[string] {
	return rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,5})?([eE][+-]?[0-9]{1,2})?`)
}

// What is printed is read back as the same tree.
func TestPrintParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := expressions(4).Draw(t, "expr")
		text := e.String()
		if len([]rune(text)) > MaxLength {
			t.Skip("longer than a hub takes")
		}
		again, err := ParseCondition(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if diff := cmp.Diff(e, again, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%s is read as %s\n%s", text, again, diff)
		}
	})
}

// Numbers compare as their exact values do.
func TestNumberOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := numbers().Draw(t, "a"), numbers().Draw(t, "b")
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		if got, want := compareSpelled(a, b), x.Cmp(y); got != want {
			t.Fatalf("%s to %s: got %d, want %d", a, b, got, want)
		}
		if n, _ := rational(json.Number(a)); n.Cmp(x) != 0 {
			t.Fatalf("%s as a fraction is %s", a, n)
		}
	})
}

// A condition, its negation and being undefined exclude each other, and NOT and
// the laws of De Morgan keep what is undefined so.
func TestThreeValues(t *testing.T) {
	d := object{"tags": "x", "deviceId": "d"}
	rapid.Check(t, func(t *rapid.T) {
		a, b := expressions(2).Draw(t, "a"), expressions(2).Draw(t, "b")
		if holds(a, d) && holds(Not{a}, d) {
			t.Fatalf("%s and its negation hold", a)
		}
		for _, pair := range [][2]Expr{
			{Not{And(a, b)}, Or(Not{a}, Not{b})},
			{Not{Or(a, b)}, And(Not{a}, Not{b})},
			{And(a, b), And(b, a)},
			{Or(a, b), Or(b, a)},
		} {
			if holds(pair[0], d) != holds(pair[1], d) {
				t.Fatalf("%s: %v\n%s: %v", pair[0], holds(pair[0], d), pair[1], holds(pair[1], d))
			}
		}
	})
}
