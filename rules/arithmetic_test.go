package rules_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// leafOf evaluates a leaf for a twin with these reported properties, and returns
// its JSON, or the error without its place.
func leafOf(t testing.TB, reported, leaf string) string {
	t.Helper()
	p := program(t, "{}", "  - id: r\n    patch: {desired: {leaf: "+leaf+"}}\n", nil)
	v := p.Eval(context.Background(), parseTwin(t, `{"deviceId":"d","properties":{"reported":`+reported+`}}`), noon)[0]
	if failed, ok := errors.AsType[*rules.EvalError](v.Err); ok {
		return "error: " + failed.Message
	}
	if v.Err != nil {
		t.Fatal(v.Err)
	}
	return string(twin.Encode(twin.PatchOf(v.Leaves).Desired["leaf"]))
}

// TestNumbers is arithmetic at its edges: exact, or an error.
func TestNumbers(t *testing.T) {
	const reported = `{"max":9223372036854775807,"min":-9223372036854775808,"odd":9007199254740993,"zero":0,"huge":1e999,"tiny":1e-999,"wide":99999999999999999999,"half":0.5}`
	for expression, want := range map[string]string{
		`reported.max + 1`:              "error: the result is beyond 64 bits",
		`reported.min - 1`:              "error: the result is beyond 64 bits",
		`reported.min + -1`:             "error: the result is beyond 64 bits",
		`reported.max * 2`:              "error: the result is beyond 64 bits",
		`reported.min * -1`:             "error: the result is beyond 64 bits",
		`-1 * reported.min`:             "error: the result is beyond 64 bits",
		`-reported.min`:                 "error: the result is beyond 64 bits",
		`reported.min / -1`:             "error: the result is beyond 64 bits",
		`abs(reported.min)`:             "error: abs: the result is beyond 64 bits",
		`reported.max - 1`:              "9223372036854775806",
		`reported.odd % 2`:              "1",
		`abs(-reported.odd)`:            "9007199254740993",
		`ceil(reported.odd)`:            "9007199254740993",
		`floor(reported.max)`:           "9223372036854775807",
		`reported.odd / 1`:              "9007199254740993",
		`reported.odd * 1`:              "9007199254740993",
		`int(string(reported.max))`:     "9223372036854775807",
		`7 / 2`:                         "3.5",
		`6 / 2`:                         "3",
		`-7 % 3`:                        "-1",
		`7.5 % 2`:                       "1.5",
		`2 ** 10`:                       "1024",
		`2 ** -1`:                       "0.5",
		`10 ** 400`:                     "error: the result is no number",
		`(-1) ** 0.5`:                   "error: the result is no number",
		`1 / reported.zero`:             "error: division by zero",
		`reported.half / reported.zero`: "error: the result is no number",
		`1 % reported.zero`:             "error: division by zero",
		`1 % 0.0`:                       "error: division by zero",
		`0 / 0 < 1`:                     "error: division by zero",
		`reported.huge`:                 "1e999", // copied as it is spelled
		`reported.huge + 0`:             "error: the result is no number",
		`reported.huge > 5 and -5 < reported.huge`: "true",
		`reported.huge != nil`:                     "true",
		`reported.tiny == 0`:                       "true",
		`float("1e999")`:                           `error: float: "1e999" is no number`,
		`int("9223372036854775808")`:               `error: int: "9223372036854775808" is no whole number`,
		`int(1e300)`:                               `error: int: "1e+300" is no whole number`,
		`[1, 2.0] == [1.0, 2]`:                     "true",
		`[1.0, 2][1.0]`:                            "2",
		`bucket("s", 9223372036854775807) >= 0`:    "true",
		`bucket("s", 10.0) < 10`:                   "true",
		`bucket("s", 0)`:                           "error: bucket: the salt is a string, n a whole number of at least 1",
		`bucket("s", 1.5)`:                         "error: bucket: the salt is a string, n a whole number of at least 1",
		`duration("1h") * 2 == duration("2h")`:     "true",
		`2 * duration("1h") - duration("30m")`:     "5400",
		`duration("1h") / duration("30m")`:         "2",
		`duration("1h") / 4 == duration("15m")`:    "true",
		`duration("2540400h") * 2`:                 "error: the result is beyond 64 bits",
		`duration("2540400h") * 2.5`:               "error: the result is beyond 64 bits",
		`duration("1h") + 1`:                       "error: a duration and a number cannot be calculated with",
		`duration("1h") % 2`:                       "error: a duration and a number cannot be calculated with",
		`now + duration("1h") - now`:               "3600",
		`now + now`:                                "error: a time and a time cannot be calculated with",
		`"a" * 2`:                                  "error: a string and a number cannot be calculated with",
		`[1] + [2]`:                                "error: a list and a list cannot be calculated with",
	} {
		if got := leafOf(t, reported, "'${ "+expression+" }'"); got != want {
			t.Errorf("%s: got %s, want %s", expression, got, want)
		}
	}
}

// TestWholeNumbersAreExact is the law of arithmetic: what is calculated with
// whole numbers is what mathematics says, or an error.
func TestWholeNumbersAreExact(t *testing.T) {
	ops := map[string]func(z, x, y *big.Int) *big.Int{"+": (*big.Int).Add, "-": (*big.Int).Sub, "*": (*big.Int).Mul, "%": (*big.Int).Rem}
	programs := map[string]*rules.Program{}
	for op := range ops {
		programs[op] = program(t, "{}", "  - id: r\n    patch: {desired: {leaf: '${ reported.x "+op+" reported.y }'}}\n", nil)
	}
	edges := rapid.SampledFrom([]int64{0, 1, -1, 2, 1 << 31, 1 << 32, 1<<53 + 1, math.MaxInt64, math.MinInt64, math.MinInt64 + 1})
	number := rapid.OneOf(edges, rapid.Int64())
	rapid.Check(t, func(rt *rapid.T) {
		x, y := number.Draw(rt, "x"), number.Draw(rt, "y")
		op := rapid.SampledFrom([]string{"+", "-", "*", "%"}).Draw(rt, "op")
		tw := parseTwin(t, fmt.Sprintf(`{"deviceId":"d","properties":{"reported":{"x":%d,"y":%d}}}`, x, y))
		v := programs[op].Eval(context.Background(), tw, noon)[0]
		if op == "%" && y == 0 {
			if v.Err == nil {
				rt.Fatal("a remainder of zero")
			}
			return
		}
		want := ops[op](new(big.Int), big.NewInt(x), big.NewInt(y))
		if !want.IsInt64() {
			if v.Err == nil {
				rt.Fatalf("%d %s %d is %v", x, op, y, v.Leaves)
			}
			return
		}
		if v.Err != nil || fmt.Sprint(v.Leaves[0].Value) != want.String() {
			rt.Fatalf("%d %s %d is %v (%v), want %s", x, op, y, v.Leaves, v.Err, want)
		}
	})
}

// TestOddValues is what becomes of values that no person would write.
func TestOddValues(t *testing.T) {
	for leaf, want := range map[string]string{
		`"${ {'a': reported.nothing} }"`:             "error: a value inside is missing",
		`"${ [reported.nothing] }"`:                  "error: a value inside is missing",
		`"${ {'a': nil} }"`:                          "error: a value inside is missing",
		`"${ reported.null }"`:                       "error: reported.null is missing",
		`"${ reported.holed }"`:                      "error: a value inside is missing",
		`"x ${ reported.huge }"`:                     "error: +Inf is no number that a twin can hold",
		`"${ [reported.huge] }"`:                     "error: +Inf is no number that a twin can hold",
		`"${ [[[[[[[[[[[[1]]]]]]]]]]]] }"`:           "error: the value is nested more than 10 levels",
		`"${ {'x': 1, '__proto__': 2, '': 3} }"`:     `{"":3,"__proto__":2,"x":1}`,
		`"${ reported['__proto__'] }"`:               "1",
		`"${ reported['a.b'] }"`:                     "2",
		`"${ reported[''] }"`:                        "3",
		`"${ reported.__proto__ }"`:                  "1",
		`"${ len(reported.deep) }"`:                  "1",
		`[{b: "${ reported.x }", a: "${ tags.y }"}]`: "error: reported.x is missing",
		`"${ map([1, 2], #) }"`:                      "[1,2]",
		`"${ count([true, false, reported.x]) }"`:    "1",
		`"${ count([1]) }"`:                          "error: a number is neither true nor false",
		`"${ 'a' == 'a' ? {} : [] }"`:                "{}",
	} {
		reported := `{"null":null,"holed":{"a":null},"huge":1e999,"__proto__":1,"a.b":2,"":3,"deep":` + strings.Repeat("[", 50) + strings.Repeat("]", 50) + `}`
		for range 20 { // whatever the order of a map
			if got := leafOf(t, reported, leaf); got != want {
				t.Fatalf("%s: got %s, want %s", leaf, got, want)
			}
		}
	}
}

// TestSectionsAreWhatServicesWrote: the hub's own members of a section do not
// count, and can be named.
func TestSectionsAreWhatServicesWrote(t *testing.T) {
	const hub = `"$metadata":{"$lastUpdated":"2026-11-20T00:00:00Z"},"$version":7`
	for expression, want := range map[string]string{
		`len(reported)`:                    "0",
		`reported == {}`:                   "true",
		`"$metadata" in reported`:          "false",
		`reported["$version"]`:             "7",
		`reported.$version`:                "7",
		`string(reported)`:                 `"{}"`,
		`age(reported) == duration("12h")`: "true",
	} {
		if got := leafOf(t, "{"+hub+"}", "'${ "+expression+" }'"); got != want {
			t.Errorf("%s: got %s, want %s", expression, got, want)
		}
	}
}

// TestAProgramIsShared evaluates and explains one program from many goroutines;
// the race detector watches.
func TestAProgramIsShared(t *testing.T) {
	p := program(t, "{n: [1, 2]}", "  - id: r\n    selector: tags.kind == \"reefer\" and tags.n in [1]\n    when: any(reported.errors, .code in vars.n or id matches \"^r\") and len(reported) > 1\n    patch: {desired: {x: [\"${ tags.site }\", \"a ${ now }\"]}}\n", nil)
	want := fmt.Sprint(p.Explain(context.Background(), parseTwin(t, reefer), noon)[0].When)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			tw := parseTwin(t, reefer)
			for range 20 {
				if v := p.Eval(context.Background(), tw, noon)[0]; v.Err != nil || !v.Matched {
					t.Error(v)
				}
				if got := fmt.Sprint(p.Explain(context.Background(), tw, noon)[0].When); got != want {
					t.Error(got)
				}
			}
		})
	}
	wg.Wait()
}

// TestAPackIsCompiledAgain: the second time finds what the first did.
func TestAPackIsCompiledAgain(t *testing.T) {
	pack, _ := rules.Load(onePack(packOf("nope == 1", "${ nope }")))
	_, first := rules.Compile(context.Background(), pack, nil)
	_, second := rules.Compile(context.Background(), pack, nil)
	if first == nil || second == nil || first.Error() != second.Error() || strings.Count(first.Error(), "\n") != 1 {
		t.Errorf("first %v\nthen %v", first, second)
	}
}

type writer struct{ judge }

func (w writer) Instance(context.Context, *rules.Rule, twin.Object) (rules.Plugin, error) {
	return w, nil
}
func (writer) Writes() []string { return []string{"tags.zone"} }

func TestASelectorMustNotReadWhatAPluginWrites(t *testing.T) {
	for selector, want := range map[string]string{
		`tags.zone.x == "a"`: "the selector reads tags.zone.x, which the rule writes",
		`tags.zon == "a"`:    "",
	} {
		text := "apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: p}\nplugins: {judge: {source: j.wasm, digest: \"sha256:" + strings.Repeat("0", 64) + "\"}}\nrules:\n  - {id: r, selector: '" + selector + "', plugin: {use: judge}}\n"
		pack, err := rules.Load(onePack(text))
		if err != nil {
			t.Fatal(err)
		}
		_, err = rules.Compile(context.Background(), pack, &rules.Options{Plugins: writer{}})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", selector, err, want)
		}
	}
}
