package rules_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub/query"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// narrowing compiles a rule and says what the hub is asked on its behalf.
func narrowing(t testing.TB, body string) (rules.Listing, rules.Narrowing) {
	t.Helper()
	l := program(t, "{low: 20, kinds: [a, b], flag: false, o: {x: 1}, odd: \"it's\"}", "  - id: r\n"+body, nil).Listings(rules.ReadNarrowed)[0]
	return l, l.Rules[0]
}

func TestWhatTheHubIsAsked(t *testing.T) {
	const noEqual, partly = "the hub's query language has no equal", "; it is asked whether there are values"
	for when, want := range map[string]struct{ asked, text, reason string }{
		`reported.pct < 20`:                                         {asked: `properties.reported.pct < 20`},
		`vars.low + 15 > reported.pct`:                              {asked: `properties.reported.pct < 35`},
		`reported.pct == vars.low / 8`:                              {asked: `properties.reported.pct = 2.5`},
		`not (reported.pct < 20)`:                                   {asked: `(NOT IS_DEFINED(properties.reported.pct)) OR (properties.reported.pct >= 20)`},
		`not tags.flag`:                                             {asked: `(NOT IS_DEFINED(tags.flag)) OR (tags.flag = false)`},
		`not (tags.a == nil or tags.b != "x")`:                      {`IS_DEFINED(tags.a) AND (tags.b = 'x')`, ``, ``},
		`tags.kind in vars.kinds && desired.on`:                     {asked: `(tags.kind IN ['a', 'b']) AND (properties.desired.on = true)`},
		`tags.kind in vars.o`:                                       {`IS_DEFINED(tags.kind)`, `tags.kind in vars.o`, `the hub looks for a path in lists of constants only, of texts without quotes and numbers within ±(2^53−1)` + partly},
		`vars.flag and reported.a == 1`:                             {asked: `false`},
		`vars.flag or reported.a == 1`:                              {asked: `properties.reported.a = 1`},
		`reported.a == 1 and tags.b != 2`:                           {`properties.reported.a = 1`, `tags.b != 2`, `what the hub makes of a missing or odd value here is not known`},
		`reported.a == 1 or tags.b != 2`:                            {``, `reported.a == 1`, `it stands in an or beside what the hub is not asked`},
		`status != "enabled"`:                                       {asked: `status != 'enabled'`},
		`semver(reported.fw.version) < semver("2.3.0")`:             {`IS_DEFINED(properties.reported.fw.version)`, `semver(reported.fw.version) < semver("2.3.0")`, noEqual + partly},
		`(reported.a ?? tags.a) * 2 > len(reported.list)`:           {`IS_DEFINED(properties.reported.a) OR IS_DEFINED(tags.a)`, `(reported.a ?? tags.a) * 2 > len(reported.list)`, noEqual + partly},
		`tags.name > "m"`:                                           {`IS_DEFINED(tags.name)`, `tags.name > "m"`, `in which order the hub puts texts is not known` + partly},
		`tags.name startsWith "m"`:                                  {`IS_DEFINED(tags.name)`, `tags.name startsWith "m"`, noEqual + partly},
		`tags.a == reported.a`:                                      {`IS_DEFINED(tags.a) AND IS_DEFINED(properties.reported.a)`, `tags.a == reported.a`, `the hub compares two paths only where both hold single values` + partly},
		`not (tags.a != reported.a)`:                                {``, `tags.a != reported.a`, `the hub compares a path with constants and vars only`},
		`tags.a == "it's"`:                                          {`IS_DEFINED(tags.a)`, `tags.a == "it's"`, `how the hub reads a text with a quote, a backslash or a control character is not known` + partly},
		`tags.a == vars.none`:                                       {``, `tags.a == vars.none`, `the hub compares a path with constants and vars only`},
		`any(reported.list, # > 1)`:                                 {`IS_DEFINED(properties.reported.list)`, `any(reported.list, # > 1)`, noEqual + partly},
		`all(reported.list, # > 1)`:                                 {``, `all(reported.list, # > 1)`, noEqual},
		`age(reported.pct) > duration("1h") && reported.pct == 1.0`: {`properties.reported.pct = 1`, `age(reported.pct) > duration("1h")`, noEqual},
		`edge and connectionState == "Connected"`:                   {`connectionState = 'Connected'`, `edge`, `it is no path that the hub's query language is known to have`},
	} {
		t.Run(when, func(t *testing.T) {
			_, n := narrowing(t, "    when: |\n      "+when+"\n    patch: {tags: {hit: true}}\n")
			if n.When != want.asked {
				t.Errorf("asked %q, want %q", n.When, want.asked)
			}
			var text, reason string
			if len(n.Untold) > 0 {
				u := n.Untold[0]
				if text, reason = u.Text, u.Reason; u.Pos.Line != 9 || !strings.HasPrefix(when[u.Pos.Col-7:], text) {
					t.Errorf("%s is at %s", text, u.Pos)
				}
			}
			if text != want.text || reason != want.reason {
				t.Errorf("left out %q because %q", text, reason)
			}
		})
	}
}

// TestWhereARuleIsAtWork reads the twins on which a rule may end, too, or where it
// goes on without asking when.
func TestWhereARuleIsAtWork(t *testing.T) {
	const when = "    when: reported.a == 1\n"
	for name, c := range map[string]struct{ body, want string }{
		"no state":   {when + "    patch: {tags: {x: 1}}\n", `properties.reported.a = 1`},
		"onExit":     {when + "    onExit: remove\n    patch: {tags: {x: one, gone: null, all: {}}, desired: {y: '${ reported.a }', n: 1.50}}\n", `(properties.reported.a = 1) OR ((properties.desired.n = 1.50) AND (tags.x = 'one'))`},
		"until":      {when + "    until: reported.a == 2\n    patch: {tags: {list: [1]}}\n", `(properties.reported.a = 1) OR IS_DEFINED(tags.list)`},
		"odd values": {when + "    until: reported.a == 2\n    patch: {tags: {x: \"it's\", 'ä': 1}}\n", `(properties.reported.a = 1) OR IS_DEFINED(tags.x)`},
		"odd path":   {when + "    until: reported.a == 2\n    patch: {tags: {'ä': 1}}\n", ``},
		"no when":    {"    until: reported.a == 2\n    patch: {tags: {x: 1}}\n", ``},
	} {
		t.Run(name, func(t *testing.T) {
			l, n := narrowing(t, c.body)
			want := "SELECT * FROM devices"
			if c.want != "" {
				want += " WHERE " + c.want
			}
			if l.Query != want || l.Narrowed != (c.want != "") || (n.Whole == "") != l.Narrowed {
				t.Errorf("got %s, narrowed %v (%s), want %s", l.Query, l.Narrowed, n.Whole, want)
			}
		})
	}
}

// TestListings shows how several rules are read together, and what is counted.
func TestListings(t *testing.T) {
	p := program(t, "{}", `
  - {id: a, selector: tags.kind == "x", when: reported.a == 1, patch: {tags: {a: 1}}}
  - {id: b, selector: tags.kind == "y", patch: {tags: {b: 1}}}
  - {id: c, selector: tags.kind == "y", when: reported.a == 3, patch: {tags: {c: 1}}}
  - {id: d, mode: off, patch: {tags: {d: 1}}}
  - {id: m, on: module/meter, when: reported.a == 3, patch: {tags: {m: 1}}}
`, nil)
	const where = " FROM devices WHERE "
	modules := "SELECT * FROM devices.modules WHERE moduleId = 'meter'"
	for b, want := range map[rules.Breadth][]string{
		rules.ReadAll:      {"SELECT * FROM devices", "SELECT * FROM devices.modules"},
		rules.ReadSelected: {"SELECT *" + where + "(tags.kind = 'x') OR (tags.kind = 'y')", modules},
		rules.ReadNarrowed: {
			"SELECT *" + where + "((tags.kind = 'x') AND (properties.reported.a = 1)) OR (tags.kind = 'y')",
			"a: SELECT COUNT() AS n" + where + "tags.kind = 'x'",
			": SELECT COUNT() AS n" + where + "(tags.kind = 'x') OR (tags.kind = 'y')", modules,
		},
	} {
		t.Run(string(b), func(t *testing.T) {
			var got []string
			for _, l := range p.Listings(b) {
				got = append(got, l.Query)
				for _, c := range l.Counts {
					got = append(got, c.Rule+": "+c.Query)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestLongQueriesGiveWay reads more where the hub would not take the question.
func TestLongQueriesGiveWay(t *testing.T) {
	list := func(n int) string { return `["` + strings.Repeat(`x`, n) + `"]` }
	many := func(n int, selector, when string) (body string) {
		for i := range n {
			body += fmt.Sprintf("  - {id: r%d, selector: 'tags.s%d in %s', when: 'reported.w in %s', patch: {tags: {x%d: 1}}}\n", i, i, selector, when, i)
		}
		return body
	}
	for name, c := range map[string]struct{ body, want string }{
		"short":                   {many(2, list(10), list(10)), "narrowed"},
		"the conditions are long": {many(4, list(10), list(3000)), "selected"},
		"the selectors are":       {many(4, list(3000), list(10)), "everything"},
	} {
		t.Run(name, func(t *testing.T) {
			l := program(t, "{}", c.body, nil).Listings(rules.ReadNarrowed)[0]
			got := "narrowed"
			switch {
			case l.Query == "SELECT * FROM devices":
				got = "everything"
			case !l.Narrowed:
				got = "selected"
			}
			if got != c.want || len(l.Query) > 8192 || (len(l.Counts) > 0) != l.Narrowed {
				t.Errorf("got %s with %d counts, want %s", got, len(l.Counts), c.want)
			}
		})
	}
}

// FuzzNarrow asks the hub on behalf of any condition: what it is asked is one of
// its questions, short enough, and holds for the twin where the condition does.
func FuzzNarrow(f *testing.F) {
	for _, seed := range []string{
		`reported.battery.pct < vars.low`, `not (tags.a in ["x"] or tags.b)`, `tags["a b"].c?.d == nil`, `semver(reported.fw ?? "1") < semver("2")`,
		`tags.a == -9007199254740993 || 1e999 > tags.a`, `any(reported.list, {# > 1}) ? tags.a : true`, `tags.a matches "^x" and status != "enabled"`,
	} {
		f.Add(seed, `{"deviceId":"d","status":"disabled","tags":{"a":"x","b":false},"properties":{"desired":{},"reported":{"battery":{"pct":3},"list":[2],"fw":"1.2.3"}}}`)
	}
	f.Fuzz(func(t *testing.T, when, text string) {
		if !utf8.ValidString(when) {
			return
		}
		p, ok := tryProgram("{low: 20, list: [1, x], o: {a: 1}}", "  - {id: r, when: "+strings.TrimSpace(string(twin.Encode(when)))+", patch: {tags: {hit: true}}}\n")
		if !ok {
			return
		}
		l := p.Listings(rules.ReadNarrowed)[0]
		q, err := query.Parse(l.Query)
		if err != nil || len(l.Query) > 8192 {
			t.Fatalf("%s: %q: %v", when, l.Query, err)
		}
		tw, err := twin.Parse([]byte(text))
		if err != nil || tw.Ref.Module != "" {
			return
		}
		if v := p.Eval(t.Context(), tw, noon)[0]; v.Matched && !q.Matches(tw) && plainNumbers(text) {
			t.Fatalf("%s is true of %s, which is not listed by %s", when, text, q)
		}
	})
}

// plainNumbers reports whether a twin's text has only what a hub may hold:
// numbers that a float spells as they are, statuses, and no null.
func plainNumbers(text string) bool {
	v, err := twin.Decode([]byte(text))
	return err == nil && holdable(v) && v.(twin.Object)["status"] != nil && v.(twin.Object)["connectionState"] != nil
}

func holdable(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case twin.Object:
		for _, member := range v {
			if !holdable(member) {
				return false
			}
		}
	case []any:
		for _, element := range v {
			if element != nil && !holdable(element) {
				return false
			}
		}
	case fmt.Stringer: // a json.Number
		return len(v.String()) < 16
	}
	return true
}
