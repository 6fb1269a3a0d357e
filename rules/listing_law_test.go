package rules_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/hub/query"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// A scribe writes conditions and twins that meet each other often.
type scribe struct{ *rand.Rand }

func (w scribe) one(list ...string) string { return list[w.IntN(len(list))] }

func (w scribe) path() string {
	return w.one("tags.a", "tags.b", "tags.b.c", "tags.flag", "reported.a", "reported.b.c", "reported.list", "reported.version", "tags.list", "reported.A", "tags[\"a b\"]", "tags.b[\"c\"]", "tags?.a", "reported.list[0]")
}

// desired also reads what only this hub's index is sure of.
func (w scribe) anyPath() string {
	return w.one("desired.a", "desired.b.c", "id", "status", "connectionState", "vars.text", "vars.number", "vars.none", w.path(), w.path(), w.path())
}

func (w scribe) constant() string {
	return w.one(`"x"`, `"y"`, `"X"`, `""`, `"it's"`, `"a\\b"`, `"2.3.0"`, "0", "1", "-1", "1.0", "2.5", "0.1", "9007199254740991", "9007199254740993", "1e300", "true", "false", "nil", "vars.text", "vars.number", "vars.none", "vars.flag")
}

func (w scribe) list() string {
	return w.one("[]", `["x", "y"]`, `[1, 2.5, "x"]`, `["it's", "x"]`, `["x", 9007199254740993]`, `[true]`, "vars.list", "vars.object", "vars.none", "[nil]", "["+w.anyPath()+"]", "reported.list", "tags.b")
}

// value writes what a comparison may compare.
func (w scribe) value(depth int) string {
	if depth == 0 {
		return w.one(w.anyPath(), w.constant())
	}
	below := func() string { return w.value(depth - 1) }
	switch w.IntN(12) {
	case 0:
		return "(" + below() + " " + w.one("+", "-", "*", "/") + " " + below() + ")"
	case 1:
		return w.one("lower", "len", "semver", "int", "string", "abs", "trim", "first", "float", "upper") + "(" + below() + ")"
	case 2:
		return "(" + below() + " ?? " + below() + ")"
	case 3:
		return "(" + w.condition(depth-1) + " ? " + below() + " : " + below() + ")"
	case 4:
		return w.one("min", "max") + "(" + below() + ", " + below() + ")"
	case 5:
		return "-" + w.path()
	case 6:
		return "count(" + w.one("reported.list", "tags.list") + `, # == "x")`
	}
	return w.one(w.anyPath(), w.constant())
}

// condition writes a condition of any sort.
func (w scribe) condition(depth int) string {
	if depth > 0 && w.IntN(3) > 0 {
		a, b := w.condition(depth-1), w.condition(depth-1)
		return w.one("("+a+" and "+b+")", "("+a+" or "+b+")", "not ("+a+")", "("+a+" && not ("+b+"))", "("+a+" ? "+b+" : false)")
	}
	switch w.IntN(12) {
	case 0, 1, 2:
		return w.plain()
	case 3, 4:
		return "not (" + w.plain() + ")"
	case 5:
		return w.trap()
	}
	switch w.IntN(10) {
	case 0, 1:
		return w.one(w.anyPath(), w.value(1)) + w.one(" == ", " != ") + w.value(1)
	case 2:
		return w.constant() + w.one(" == ", " != ", " < ", " >= ") + w.anyPath()
	case 3, 4:
		return w.one(w.path(), w.value(1)) + w.one(" < ", " <= ", " > ", " >= ") + w.one("1", "2.5", "-1", w.constant(), w.value(1))
	case 5:
		return w.one(w.anyPath(), w.value(1)) + w.one(" in ", " not in ") + w.list()
	case 6:
		return w.path() + w.one(" == ", " != ") + "nil"
	case 7:
		return w.one(w.path(), w.value(1)) + w.one(" contains ", " startsWith ", " endsWith ") + w.one(`"x"`, w.value(1))
	case 8:
		return w.glance()
	case 9:
		return w.one(w.path()+` matches "^x"`, `any(reported.list, # == "x")`, `all(tags.list, # == "x")`, `none(reported.list, # == 1)`, `one(tags.list, # == "x")`, "true", "false", "vars.flag", "edge", `age(reported.a) > duration("1h")`, `updated(reported.a) < now`)
	}
	return w.path()
}

// glance writes a condition that a sieve mostly answers by itself.
func (w scribe) glance() string {
	order := w.one(" < ", " <= ", " > ", " >= ")
	whole := func() string {
		return w.one("tags.a", "reported.a", "desired.a", "3", "tags.b", "vars.number") + w.one(" * ", " + ", " - ", " / ") + w.one("2", "1", "reported.a", "tags.b.c")
	}
	switch w.IntN(5) {
	case 0:
		return w.one("age(reported.a)", "now - lastActivityTime", "now - updated(reported.a)") + order + "duration(\"" + w.one("1h", "2h", "24h", "0s") + "\")"
	case 1:
		return "any(" + w.one("reported.list", "tags.list") + ", #" + w.one(` == "x"`, ` startsWith "x"`, ` contains "y"`, ` endsWith ""`) + ")"
	case 2:
		return whole() + order + whole()
	case 3:
		return w.one("tags.a", "reported.b.c", "id") + w.one(` startsWith "x"`, ` contains "1"`, ` endsWith ""`, ` == "it's"`)
	}
	return w.one("tags.a", "reported.a") + order + w.one("0", "-1", "2.5", "1000000", `"x"`, "0.1")
}

// plain writes a condition that a selector may mostly be.
func (w scribe) plain() string {
	path := w.one("tags.a", "tags.b", "tags.b.c", "tags.flag", "reported.a", "desired.a", "desired.b.c")
	number := w.one("0", "1", "-1", "1.0", "2.5", "0.1", "9007199254740991", "vars.number", "vars.number * 2 + 1.5")
	switch w.IntN(8) {
	case 0, 1:
		return path + " == " + w.one(`"x"`, `"y"`, `"X"`, "vars.text", "true", "false", number)
	case 2, 3:
		return path + w.one(" < ", " <= ", " > ", " >= ") + w.one(number, number, `"x"`)
	case 4:
		return number + w.one(" < ", " <= ", " > ", " >= ") + path
	case 5:
		return path + w.one(" == ", " != ") + "nil"
	case 6:
		return w.one(path+" in ", "id in ") + w.one(`["x", "y"]`, `[1, 2.5, "x", false]`, "[]", "vars.list")
	}
	return w.one(path, `id == "x"`, `status != "enabled"`, `"Connected" == connectionState`, "true")
}

// trap writes a condition that may be true of what is missing.
func (w scribe) trap() string {
	a, b := w.path(), w.path()
	return w.one(
		"not ("+a+" == "+b+")", "not ("+a+" != "+b+")", a+" == vars.none", "not ("+a+" != vars.none)", a+" == ("+b+" ?? vars.none)",
		"("+a+" ?? "+b+") < 3", "("+a+" ?? 1) < 3", "len("+a+") < 3", "-len("+a+") < 3", "bucket(\"s\", 2) < 1 and "+a+" < 3",
		a+" in vars.object", a+" == 1e18", a+" >= 1e18", a+" in [1e18]", "not ("+a+" > 1e18)",
		"all(reported.list, # == 1)", "none(tags.list, # == 1)", "count(tags.list, # == 1) < 1", "not any(tags.list, # == 1)", "age(reported.a) > duration(\"1h\")",
	)
}

// selector writes a condition that is mostly one for a selector.
func (w scribe) selector(depth int) string {
	switch {
	case depth == 0 && w.IntN(9) == 0:
		return w.one(w.condition(0), w.trap())
	case depth == 0:
		return w.plain()
	}
	a, b := w.selector(depth-1), w.selector(depth-1)
	return w.one("("+a+" and "+b+")", "("+a+" or "+b+")", a+" && "+b, "not ("+w.one("tags.a", "desired.a")+w.one(" == ", " != ")+"nil) or "+a)
}

func (w scribe) json(depth int) any {
	switch w.IntN(12) {
	case 0, 1:
		return "x"
	case 2:
		return w.one("y", "X", "", "it's", `a\b`, "2.3.0", "é")
	case 3, 4:
		return json.Number(w.one("0", "1", "1.0", "1e0", "-1", "2.5", "25e-1", "0.1", "-0"))
	case 5:
		return json.Number(w.one("9007199254740991", "9007199254740993", "9.007199254740991e15", "1e300", "1e999", "1000000000000000001"))
	case 6:
		return true
	case 7:
		return false
	case 8:
		return w.elements()
	case 9:
		return []any{}
	}
	if depth == 0 {
		return "x"
	}
	return twin.Object{"c": w.json(depth - 1), "x": "y"}
}

// moment writes a time, near noon of the laws.
func (w scribe) moment() string {
	return w.one("2026-11-20T10:00:00Z", "2026-11-20T11:00:00.0000000Z", "2026-11-20T10:00:00.0000001Z", "2026-11-20T09:59:59.9999999Z", "2026-11-21T00:00:00Z", "0001-01-01T00:00:00Z", "2026-02-29T00:00:00Z", "never", "2026-11-20T11:00:00+02:00")
}

// elements writes a list, mostly of texts.
func (w scribe) elements() []any {
	return [][]any{{w.one("x", "y"), json.Number("1"), nil}, {"x1"}, {"z", "xy", "z"}, {"z"}, {"x", `\x`}, {"é", "x"}}[w.IntN(6)]
}

func (w scribe) section() twin.Object {
	o := twin.Object{}
	for _, key := range []string{"a", "b", "flag", "list", "A", "version", "a b", "hit"} {
		if w.IntN(2) == 0 {
			o[key] = w.json(2)
		}
	}
	return o
}

// fleet writes n twins, to be drawn from.
func (w scribe) fleet(n int) (list []*twin.Twin) {
	for range n {
		list = append(list, w.twin())
	}
	return list
}

// marks are the values by which a rule of the law tells where it is at work.
var marks = []string{`"x"`, "1", "true", "2.50", `"it's"`, "[1]"}

// twin writes a twin, now and then one on which a rule of the law is at work.
func (w scribe) twin() *twin.Twin {
	tags, desired := w.section(), w.section()
	if w.IntN(3) > 0 {
		hit, err := twin.Decode([]byte(w.one(marks...)))
		if err != nil {
			panic(err)
		}
		desired = twin.Merge(desired, twin.Object{"hit": hit, "more": []any{json.Number("1")}, "gone": nil})
	}
	reported := w.section()
	reported["$metadata"] = twin.Object{"a": twin.Object{"$lastUpdated": w.moment()}}
	reported["$version"] = json.Number("3")
	doc := twin.Object{
		"deviceId": w.one("x", "y", "d"), "lastActivityTime": w.moment(), "status": w.one("enabled", "disabled"), "connectionState": w.one("Connected", "Disconnected"),
		"tags": tags, "properties": twin.Object{"desired": desired, "reported": reported},
	}
	t, err := twin.Parse(twin.Encode(doc))
	if err != nil {
		panic(err)
	}
	return t
}

const lawVars = `{text: x, number: 1, flag: true, list: [x, 1, true], object: {x: 1, y: 2}}`

// TestNarrowedListsWhatMatters is the law of narrowing: every twin that a rule
// matches or has to do with where it ends is listed, whatever its condition; and
// where the condition reads what a target condition may, it is listed whatever
// the hub makes of what is not documented.
func TestNarrowedListsWhatMatters(t *testing.T) {
	t.Parallel()
	w := scribe{rand.New(rand.NewPCG(4, 2026))}
	packs, twins := 2700/slack, 150
	if testing.Short() {
		packs /= 10
	}
	patch := "desired: {hit: " + "%s" + ", more: [1], gone: null}"
	seen, fleet := map[string]int{}, w.fleet(5000/slack)
	for range packs {
		text, mark := w.condition(w.IntN(4)), w.one(marks...)
		body := "  - id: r\n    when: |\n      " + text + "\n    patch: {" + fmt.Sprintf(patch, mark) + "}\n"
		switch w.IntN(4) {
		case 0:
			body += "    onExit: remove\n"
		case 1:
			body += "    until: |\n      " + w.condition(1) + "\n"
		}
		p, ok := tryProgram(lawVars, body)
		if !ok {
			seen["not compiled"]++
			continue
		}
		listing := p.Listings(rules.ReadNarrowed)[0]
		q, err := query.Parse(listing.Query)
		if err != nil {
			t.Fatalf("%s: %q: %v", text, listing.Query, err)
		}
		if listing.Narrowed {
			seen["narrowed"]++
		}
		certain := p.Foreign([]*twin.Configuration{{ID: "other", TargetCondition: targetText(q), Content: twin.Object{"deviceContent": twin.Object{"properties.desired.hit": 1}}}})
		for i := range twins {
			if !listing.Narrowed && i == twins/20 {
				break
			}
			tw := fleet[w.IntN(len(fleet))]
			v := p.Eval(context.Background(), tw, noon)[0]
			matters, listed := v.Matched || v.Leaving, q.Matches(tw)
			seen[fmt.Sprintf("matters %v, listed %v, narrowed %v", matters, listed, listing.Narrowed)]++
			if matters && !listed {
				t.Fatalf("%s\nis true of %s\nwhich is not listed by %s", body, tw.JSON(), q)
			}
			if !matters || strings.Contains(listing.Query, "desired") || strings.Contains(listing.Query, "status") || strings.Contains(listing.Query, "connectionState") {
				continue
			}
			claim, _ := certain[0].Claims(tw, v.Rule, twin.Leaf{Section: "desired", Path: []string{"hit"}})
			if claim.Doubt != "" {
				t.Fatalf("%s\nis true of %s\nwhich may not be listed by %s", body, tw.JSON(), q)
			}
			seen["certainly listed"]++
		}
	}
	t.Log(seen)
	for _, what := range []string{"narrowed", "certainly listed", "matters true, listed true, narrowed true", "matters false, listed false, narrowed true", "matters false, listed true, narrowed true"} {
		if seen[what] < packs/4 {
			t.Errorf("only %d: %s", seen[what], what)
		}
	}
}

func targetText(q *query.Query) string {
	if q.Where() == nil {
		return "*"
	}
	return q.Where().String()
}

func tryProgram(vars, body string) (*rules.Program, bool) {
	pack, err := rules.Load(onePack("apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: p}\nvars: " + vars + "\nrules:\n" + body))
	if err != nil {
		return nil, false
	}
	p, err := rules.Compile(context.Background(), pack, nil)
	return p, err == nil
}

// TestSelectorsSelectTheSame is the law of selectors at scale: of any condition
// that is taken for one, the query selects the same twins as the expression.
func TestSelectorsSelectTheSame(t *testing.T) {
	t.Parallel()
	w := scribe{rand.New(rand.NewPCG(3, 2026))}
	packs, twins := 2500/slack, 100
	if testing.Short() {
		packs /= 10
	}
	taken, selected, fleet := 0, 0, w.fleet(5000/slack)
	for range packs {
		text := w.selector(w.IntN(3))
		p, ok := tryProgram(lawVars, "  - id: r\n    selector: |\n      "+text+"\n    patch: {tags: {mine: true}}\n")
		if !ok {
			continue
		}
		taken++
		q, err := query.Parse(p.Queries()[0])
		if err != nil {
			t.Fatal(err)
		}
		for range twins {
			tw := fleet[w.IntN(len(fleet))]
			v := p.Eval(context.Background(), tw, noon)[0]
			if v.Err != nil || v.Selected != q.Matches(tw) {
				t.Fatalf("%s: expression %v (%v), query %q %v on %s", text, v.Selected, v.Err, q, q.Matches(tw), tw.JSON())
			}
			if v.Selected {
				selected++
			}
		}
	}
	t.Logf("%d selectors, %d pairs, %d selected", taken, taken*twins, selected)
	if taken < packs/4 || selected < taken {
		t.Errorf("only %d of %d conditions were taken for selectors, which selected %d", taken, packs, selected)
	}
}
