package report_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/report"
	"github.com/twinrules/twinrules/hub/twin"
)

// decode reads a report as a program does.
func decode(t testing.TB, text string) twin.Object {
	t.Helper()
	o, err := twin.DecodeObject([]byte(strings.TrimSpace(text)))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return o
}

func at(t testing.TB, o twin.Object, path ...string) any {
	t.Helper()
	v, found := o.Lookup(path...)
	if !found {
		t.Fatalf("nothing at %q", path)
	}
	return v
}

func TestJSONOfAPlan(t *testing.T) { golden(t, "plan.json", show(t, "json", samplePlan(), nil)) }

func TestJSONOfADifference(t *testing.T) {
	golden(t, "difference.json", show(t, "json", sampleDifference(), nil))
}

// A program that walks a list need not ask whether it is there.
func TestJSONHasEveryMemberAlways(t *testing.T) {
	for _, pair := range [][2]any{{plan(), samplePlan()}, {compared(plan(), plan()), sampleDifference()}} {
		empty, full := decode(t, show(t, "json", pair[0], nil)), decode(t, show(t, "json", pair[1], nil))
		if diff := cmp.Diff(slices.Sorted(maps.Keys(empty)), slices.Sorted(maps.Keys(full))); diff != "" {
			t.Errorf("members of an empty report (-) and a full one (+):\n%s", diff)
		}
		for key, v := range empty {
			if _, isList := full[key].([]any); isList {
				if _, stillIs := v.([]any); !stillIs {
					t.Errorf("%s: got %v", key, v)
				}
			}
		}
	}
}

func TestJSONKeepsNumbersAsTheyAreSpelled(t *testing.T) {
	p := plan(change("a", edit("tags.x", "9007199254740993", "1.50e3", "r")))
	row := at(t, decode(t, show(t, "json", p, nil)), "rows").([]any)[0].(twin.Object)
	place := row["places"].([]any)[0].(twin.Object)
	before, after := place["before"].([]any)[0].(twin.Object), place["after"].([]any)[0].(twin.Object)
	if before["value"] != json.Number("9007199254740993") || after["value"] != json.Number("1.50e3") {
		t.Errorf("got %v and %v", before, after)
	}
}

// What is escaped for the terminal's sake reads as it was.
func TestJSONKeepsEveryCharacter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := strings.ToValidUTF8(anyText().Draw(rt, "text"), "\ufffd")
		p := plan(engine.Change{Ref: twin.Ref{Device: text}, Edits: []engine.Edit{{Section: "tags", Path: []string{"x"}, After: text, Rules: []string{text}}}})
		row := at(t, decode(t, show(t, "json", p, nil)), "rows").([]any)[0].(twin.Object)
		after := row["places"].([]any)[0].(twin.Object)["after"].([]any)[0].(twin.Object)["value"]
		if row["rules"].([]any)[0] != text || row["samples"].([]any)[0] != text || after != text {
			rt.Errorf("got %q, want %q", row, text)
		}
	})
}

// The same plan has the same bytes, whatever order maps have.
func TestReportsAreDeterministic(t *testing.T) {
	p := plan(changes("d", 400, func(i int) []engine.Edit {
		return []engine.Edit{
			edit("desired.a", string(rune('0'+i%7)), string(rune('0'+i%5)), "one", "two"),
			edit("tags.b", string(rune('0'+i%3)), `{"x":1,"y":2,"z":3}`, "three"),
			edit("tags.c", "", fmt.Sprint(i), "folded"),
		}
	})...)
	for _, f := range report.Formats {
		for _, what := range []any{p, samplePlan(), sampleDifference()} {
			first := show(t, f.Name, what, nil)
			for range 5 {
				if again := show(t, f.Name, what, nil); again != first {
					t.Errorf("%s: got (-) and (+):\n%s", f.Name, cmp.Diff(first, again))
				}
			}
		}
	}
}
