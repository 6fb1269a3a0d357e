package report_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/report"
	"github.com/twinrules/twinrules/hub/twin"
)

// rowsOf returns the rows of a plan's report, each in a line: rules, count,
// whether it is folded, and places with old and new values.
func rowsOf(t testing.TB, p *engine.Plan) (lines []string) {
	t.Helper()
	for _, r := range at(t, decode(t, show(t, "json", p, nil)), "rows").([]any) {
		row := r.(twin.Object)
		line := fmt.Sprintf("%v %v", row["rules"], row["count"])
		if row["folded"] == true {
			line += " folded"
		}
		for _, p := range row["places"].([]any) {
			place := p.(twin.Object)
			line += fmt.Sprintf("; %v %s → %s", place["path"], counted(place["before"]), counted(place["after"]))
		}
		lines = append(lines, line)
	}
	return lines
}

func counted(list any) string {
	var parts []string
	for _, c := range list.([]any) {
		parts = append(parts, fmt.Sprintf("%s×%v", twin.Encode(c.(twin.Object)["value"]), c.(twin.Object)["count"]))
	}
	return strings.Join(parts, " ")
}

func TestRows(t *testing.T) {
	tests := []struct {
		name    string
		changes []engine.Change
		want    []string
	}{
		{"ten thousand equal changes", changes("d", 10_000, func(int) []engine.Edit { return []engine.Edit{edit("tags.x", "1", "2", "r")} }),
			[]string{"[r] 10000; tags.x 1×10000 → 2×10000"}},
		{"old values may differ, the most frequent comes first", changes("d", 6, func(i int) []engine.Edit {
			return []engine.Edit{edit("tags.x", []string{"5", "", "7", "7", "7", "5"}[i], "2", "r")}
		}), []string{"[r] 6; tags.x 7×3 5×2 null×1 → 2×6"}},
		{"new values may not", changes("d", 3, func(i int) []engine.Edit { return []engine.Edit{edit("tags.x", "", fmt.Sprint(i%2), "r")} }),
			[]string{"[r] 2; tags.x null×2 → 0×2", "[r] 1; tags.x null×1 → 1×1"}},
		{"numbers are equal when they are spelled alike", []engine.Change{change("a", edit("tags.x", "", "1.0", "r")), change("b", edit("tags.x", "", "1", "r"))},
			[]string{"[r] 1; tags.x null×1 → 1×1", "[r] 1; tags.x null×1 → 1.0×1"}},
		{"each rule of a twin has its own row", []engine.Change{
			change("a", edit("desired.x", "", "1", "one"), edit("desired.y", "", "1", "two"), edit("tags.z", "", "1", "one", "two")),
			change("b", edit("desired.x", "", "1", "one")),
		}, []string{"[one] 2; desired.x null×2 → 1×2", "[one two] 1; tags.z null×1 → 1×1", "[two] 1; desired.y null×1 → 1×1"}},
		{"other places make another row", []engine.Change{
			change("a", edit("tags.x", "", "1", "r"), edit("tags.y", "", "1", "r")), change("b", edit("tags.x", "", "1", "r")),
		}, []string{"[r] 1; tags.x null×1 → 1×1", "[r] 1; tags.x null×1 → 1×1; tags.y null×1 → 1×1"}},
		{"keys with dots stay apart", []engine.Change{
			{Ref: twin.Ref{Device: "a"}, Edits: []engine.Edit{{Section: "tags", Path: []string{"x.y"}, After: true, Rules: []string{"r"}}}},
			change("b", edit("tags.x.y", "", "true", "r")),
		}, []string{`[r] 1; tags.x.y null×1 → true×1`, `[r] 1; tags["x.y"] null×1 → true×1`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(rowsOf(t, plan(test.changes...)), test.want); diff != "" {
				t.Errorf("got (-) want (+):\n%s", diff)
			}
		})
	}
}

// Up to 25 rows of a rule are shown one by one; those of one with more are put
// together by what places they have. Other rules' rows are not.
func TestManyRowsOfARuleAreFolded(t *testing.T) {
	differing := func(n int) *engine.Plan {
		p := plan(changes("a", n, func(i int) []engine.Edit { return []engine.Edit{edit("tags.x", "", fmt.Sprint(100+i), "r")} })...)
		p.Changes = engine.ChangesOf(append(changesIn(p.Changes), changes("b", 2, func(i int) []engine.Edit { return []engine.Edit{edit("tags.x", "", fmt.Sprint(i), "other")} })...)...)
		return p
	}
	if got := rowsOf(t, differing(25)); len(got) != 27 {
		t.Errorf("25 values: %q", got)
	}
	got := rowsOf(t, differing(26))
	if len(got) != 3 || !strings.HasPrefix(got[0], "[r] 26 folded; tags.x null×26 → 100×1 101×1 ") {
		t.Errorf("26 values: %q", got)
	}
	if text := show(t, "text", differing(26), nil); !strings.Contains(text, "tags.x  (absent)  →  100 ×1  101 ×1  102 ×1  and 23 more values\n") {
		t.Errorf("got\n%s", text)
	}
}

// However changes are grouped, each twin of each rule is counted once, and each
// row's values are as many as its twins.
func TestRowsCountEveryTwinOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p, want := plan(), map[string]int{}
		for i := range rapid.IntRange(0, 60).Draw(rt, "twins") {
			var edits []engine.Edit
			for _, place := range []string{"desired.a", "tags.b"} {
				by := rapid.SampledFrom([]string{"", "one", "two"}).Draw(rt, "rule")
				if by != "" {
					edits = append(edits, edit(place, rapid.SampledFrom([]string{"", "1", "2"}).Draw(rt, "before"), fmt.Sprint(rapid.IntRange(0, 40).Draw(rt, "after")), by))
				}
			}
			if len(edits) == 0 {
				continue
			}
			p.Changes = engine.ChangesOf(append(changesIn(p.Changes), change(fmt.Sprintf("%03d", i), edits...))...)
			want[edits[0].Rules[0]]++
			if len(edits) == 2 && edits[1].Rules[0] != edits[0].Rules[0] {
				want[edits[1].Rules[0]]++
			}
		}
		got := map[string]int{}
		for _, r := range at(t, decode(t, show(t, "json", p, nil)), "rows").([]any) {
			row := r.(twin.Object)
			n := number(row["count"])
			got[row["rules"].([]any)[0].(string)] += n
			for _, place := range row["places"].([]any) {
				for _, side := range []string{"before", "after"} {
					sum := 0
					for _, c := range place.(twin.Object)[side].([]any) {
						sum += number(c.(twin.Object)["count"])
					}
					if sum != n {
						rt.Errorf("%d twins have %d values %s", n, sum, side)
					}
				}
			}
		}
		if diff := cmp.Diff(got, want); diff != "" {
			rt.Errorf("got (-) want (+):\n%s", diff)
		}
	})
}

func number(v any) (n int) {
	fmt.Sscan(fmt.Sprint(v), &n)
	return n
}

func TestFailuresAreGrouped(t *testing.T) {
	p := plan()
	for i := range 40 {
		p.Errors = append(p.Errors,
			engine.Failure{Ref: twin.Ref{Device: fmt.Sprintf("d%02d", i)}, Rule: "same", Message: fmt.Sprintf("plugin p: devices/d%02d: battery is missing", i), Fuel: int64(900 + i)},
			engine.Failure{Ref: twin.Ref{Device: fmt.Sprintf("d%02d", i)}, Rule: "each", Message: fmt.Sprintf("value %d is no version", i)})
	}
	p.Errors = append(p.Errors, engine.Failure{Ref: twin.Ref{Configuration: "tr-x"}, Rule: "same", Message: "plugin p: battery is missing", Fuel: 7})
	text := show(t, "text", p, nil)
	same(t, text[strings.Index(text, "\n\n")+2:], `  ! error: rule same on 40 twins
      plugin p: battery is missing
      after 900 to 939 units of fuel
      d00, d01, d02 … 37 more

  ! error: rule each on 40 twins
      value 0 is no version
      and 39 other messages
      d00, d01, d02 … 37 more

  ! error: rule same on 1 configuration
      plugin p: battery is missing
      after 7 units of fuel
      tr-x

Nothing to write, 81 errors.
`)
}

func TestConflictsAreGrouped(t *testing.T) {
	p := plan()
	for i := range 10 {
		p.Conflicts = append(p.Conflicts, engine.Conflict{Ref: twin.Ref{Device: fmt.Sprintf("d%d", i)}, Place: fmt.Sprintf("tags.x%d", i%2),
			Wishes: []engine.ConflictWish{{Rule: "one", Value: value("1")}, {Rule: "two", Value: value(fmt.Sprint(i))}}})
	}
	text := show(t, "text", p, nil)
	if got := strings.Count(text, "! conflict: tags.x"); got != 2 || !strings.Contains(text, "! conflict: tags.x0 on 5 twins\n      one wants 1\n      two wants 0\n      d0, d2, d4 … 2 more\n") {
		t.Errorf("got\n%s", text)
	}
}

func BenchmarkText(b *testing.B) {
	p := plan(changes("d", 10_000, func(i int) []engine.Edit { return []engine.Edit{edit("tags.x", fmt.Sprint(i%9), "2", "r")} })...)
	for b.Loop() {
		show(b, "text", p, nil)
	}
}

// TestFoldedRowsAreThoseOfAllAtOnce: rows that are put together as soon as they are
// too many are those that one would count in the end, whoever came first.
func TestFoldedRowsAreThoseOfAllAtOnce(t *testing.T) {
	p := plan()
	p.Changes = engine.ChangesOf(append(
		changes("a", 300, func(i int) []engine.Edit {
			return []engine.Edit{edit("tags.name", fmt.Sprint(i%7), fmt.Sprint(i%200), "wide")}
		}),
		changes("b", 90, func(i int) []engine.Edit {
			return []engine.Edit{edit([]string{"tags.name", "tags.other"}[i%2], fmt.Sprint(i%3), fmt.Sprint(i%60), "wide")}
		})...)...)
	var got struct {
		Rows []report.Row `json:"rows"`
	}
	if err := json.Unmarshal([]byte(show(t, "json", p, nil)), &got); err != nil {
		t.Fatal(err)
	}
	var text []string
	for _, r := range got.Rows {
		was, is := 0, 0
		for _, c := range r.Places[0].Before {
			was += c.Count
		}
		for _, c := range r.Places[0].After {
			is += c.Count
		}
		text = append(text, fmt.Sprint(r.Places[0].Path, r.Count, was, is, len(r.Places[0].Before), len(r.Places[0].After), r.Folded, r.Samples))
	}
	want := []string{"tags.name345 345 345 7 200 true [a-00000 a-00001 a-00002]", "tags.other45 45 45 3 30 true [b-00001 b-00003 b-00005]"}
	if !slices.Equal(text, want) {
		t.Errorf("got %q, want %q", text, want)
	}
}
