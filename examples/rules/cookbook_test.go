package examples_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/twinrules/twinrules/engine/report"
	"github.com/twinrules/twinrules/rules"
)

// recipe loads and compiles one file of the cookbook, which is a whole pack.
func recipe(t *testing.T, path string) *rules.Program {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if formatted, err := rules.Format(path, data); err != nil || !bytes.Equal(formatted, data) {
		t.Errorf("it is not laid out as fmt does it: %v", err)
	}
	pack, err := rules.Load(fstest.MapFS{filepath.Base(path): {Data: data}})
	if err != nil {
		t.Fatal(err)
	}
	program, err := rules.Compile(t.Context(), pack, nil)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// TestCookbook runs the tests of every recipe, of which each rule has one in
// which it wants something and one in which it wants nothing, and holds its plan
// on the sample fleet against the text beside it. UPDATE=1 rewrites that, and
// the list of recipes.
func TestCookbook(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("cookbook/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d recipes, %v", len(files), err)
	}
	s := openFleet(t, "cold-chain/fleet.ndjson.zst")
	var list strings.Builder
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		t.Run(name, func(t *testing.T) {
			p := recipe(t, path)
			fmt.Fprintf(&list, "| [%s](%s.yaml) | %s | [plan](%s.txt) |\n", name, name, p.Pack.Description, name)
			testRecipe(t, p)
			made := plan(t, p, s, nil, 1)
			if made.Empty() && len(made.Audited) == 0 || made.Obstacle() != "" {
				t.Errorf("obstacle %q: the recipe shows nothing", made.Obstacle())
			}
			var text bytes.Buffer
			if err := report.Text.Plan(&text, made, nil); err != nil {
				t.Fatal(err)
			}
			compare(t, strings.TrimSuffix(path, ".yaml")+".txt", text.String())
		})
	}
	compare(t, "cookbook/README.md", cookbookTop+list.String())
}

const cookbookTop = "# Cookbook\n\n" +
	"Each file is a pack of its own: copy it, change the names of tags and the numbers, run its tests. The plan beside it is what it\n" +
	"does to the sample fleet, as in\n\n" +
	"```sh\n" +
	"twinrules test examples/rules/cookbook/firmware-floor.yaml\n" +
	"twinrules plan examples/rules/cookbook/firmware-floor.yaml --demo\n" +
	"```\n\n" +
	"| recipe | does | on the sample fleet |\n|---|---|---|\n"

func testRecipe(t *testing.T, p *rules.Program) {
	t.Helper()
	wants, rests := map[string]bool{}, map[string]bool{}
	for _, r := range p.Test(t.Context(), rules.Moment{}) {
		if r.Problem != "" {
			t.Errorf("%s: %s: %s", r.Rule.ID, r.Case.Name, r.Problem)
		}
		wants[r.Rule.ID] = wants[r.Rule.ID] || !r.Got.Empty()
		rests[r.Rule.ID] = rests[r.Rule.ID] || r.Case.None
	}
	for _, r := range p.Pack.Rules {
		if !wants[r.ID] || !rests[r.ID] {
			t.Errorf("%s: a test in which it wants something: %v, nothing: %v", r.ID, wants[r.ID], rests[r.ID])
		}
	}
}
