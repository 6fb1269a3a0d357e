package examples_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/report"
	"github.com/twinrules/twinrules/hub/snapshot"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// A shelf is a folder of the cookbook, whose recipes are shown on one fleet.
type shelf struct{ dir, fleet, title, plan string }

var shelves = []shelf{
	{"cookbook", "cold-chain/fleet.ndjson.zst", "Trailers, gateways and locators of a haulier", "--demo"},
	{"cookbook/buildings", "cookbook/buildings/fleet.ndjson.zst", "Gateways, controllers and meters in buildings",
		"--snapshot examples/rules/cookbook/buildings/fleet.ndjson.zst"},
}

// A recipe is one file of the cookbook, which is a whole pack, and begins with
// a comment for people.
type recipe struct {
	path, name, paragraph string
	program               *rules.Program
}

func readRecipe(t *testing.T, path string) recipe {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if formatted, err := rules.Format(path, data); err != nil || !bytes.Equal(formatted, data) {
		t.Errorf("%s is not laid out as fmt does it: %v", path, err)
	}
	pack, err := rules.Load(fstest.MapFS{filepath.Base(path): {Data: data}})
	if err != nil {
		t.Fatal(err)
	}
	program, err := rules.Compile(t.Context(), pack, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := recipe{path: path, name: strings.TrimSuffix(filepath.Base(path), ".yaml"), program: program}
	for line := range strings.Lines(string(data)) {
		text, isComment := strings.CutPrefix(line, "# ")
		if !isComment {
			break
		}
		r.paragraph += text
	}
	if len(r.paragraph) < 100 || pack.Name != r.name || pack.Description == "" {
		t.Errorf("%s: pack %s, and a paragraph of %d bytes above it", path, pack.Name, len(r.paragraph))
	}
	return r
}

// TestCookbook runs the tests of every recipe, of which each rule has one in
// which it wants something and one in which it wants nothing, and holds its plan
// on the fleet of its shelf against the text beside it. UPDATE=1 rewrites that,
// and the README.
func TestCookbook(t *testing.T) {
	t.Parallel()
	var index, texts strings.Builder
	made := 0
	for _, s := range shelves {
		files, err := filepath.Glob(s.dir + "/*.yaml")
		if err != nil {
			t.Fatal(err)
		}
		fleet := openFleet(t, s.fleet)
		fmt.Fprintf(&index, "\n## %s\n\n| recipe | does | plan |\n|---|---|---|\n", s.title)
		fmt.Fprintf(&texts, "\n## %s, one by one\n\n```sh\ntwinrules plan examples/rules/%s/%s %s\n```\n", s.title, s.dir, filepath.Base(files[0]), s.plan)
		for _, path := range files {
			made++
			r := readRecipe(t, path)
			base := strings.TrimPrefix(strings.TrimSuffix(path, ".yaml"), "cookbook/")
			fmt.Fprintf(&index, "| [%s](#%s) | %s | [plan](%s.txt) |\n", r.name, r.name, r.program.Pack.Description, base)
			fmt.Fprintf(&texts, "\n### %s\n\n%s\n[pack](%s.yaml), [plan](%s.txt)\n", r.name, r.paragraph, base, base)
			t.Run(r.name, func(t *testing.T) { serve(t, r, fleet) })
		}
	}
	if made < 30 {
		t.Errorf("%d recipes", made)
	}
	compare(t, "cookbook/README.md", cookbookTop+index.String()+texts.String())
}

const cookbookTop = "<!-- made from the recipes, UPDATE=1 go test ./examples/rules -->\n\n# Cookbook\n\n" +
	"Each file is a pack of its own: copy it, change the names of tags and the numbers, run its tests. The plan beside it is what it\n" +
	"does to a sample fleet.\n\n" +
	"```sh\n" +
	"twinrules test examples/rules/cookbook/firmware-floor.yaml\n" +
	"twinrules plan examples/rules/cookbook/firmware-floor.yaml --demo\n" +
	"```\n"

// mayFail are the recipes that show an error on purpose.
var mayFail = map[string]bool{"bad-release": true}

// serve runs the tests of a recipe and holds its plan against the text.
func serve(t *testing.T, r recipe, fleet *snapshot.Snapshot) {
	testRecipe(t, r.program)
	made := plan(t, r.program, fleet, nil, 1)
	testCounts(t, r.program.Pack, made)
	if made.Empty() && made.Audited.Len() == 0 || made.Obstacle() != "" && len(made.Staged()) == 0 {
		t.Errorf("obstacle %q: the recipe shows nothing", made.Obstacle())
	}
	if (len(made.Errors) > 0) != mayFail[r.name] {
		t.Errorf("it has %d errors", len(made.Errors))
	}
	if len(r.program.Pack.Tests) == 0 && slices.ContainsFunc(r.program.Pack.Rules, func(of *rules.Rule) bool { return deploys(r.program, of) }) {
		t.Error("its deployment has no test on the fleet")
	}
	var text bytes.Buffer
	if err := report.Text.Plan(&text, made, nil); err != nil {
		t.Fatal(err)
	}
	compare(t, strings.TrimSuffix(r.path, ".yaml")+".txt", text.String())
}

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
		if !deploys(p, r) && !(wants[r.ID] && rests[r.ID]) {
			t.Errorf("%s: a test in which it wants something: %v, nothing: %v", r.ID, wants[r.ID], rests[r.ID])
		}
	}
}

// testCounts runs the tests of a pack on the fleet of its shelf.
func testCounts(t *testing.T, p *rules.Pack, made *engine.Plan) {
	t.Helper()
	for _, test := range p.Tests {
		for _, want := range test.Expect {
			i := slices.IndexFunc(made.Rules, func(r engine.RuleCount) bool { return r.Rule == want.Rule })
			got := made.Rules[i]
			counts := map[string]int{"selected": got.Population, "matched": got.Matched, "changed": got.Changed, "failed": got.Failed}
			for _, c := range want.Counts {
				if counts[c.Name] != c.Number {
					t.Errorf("%s: %s of %s: got %d, want %d", test.Name, c.Name, want.Rule, counts[c.Name], c.Number)
				}
			}
		}
	}
}

// deploys reports whether a rule hands the hub a deployment, and so never wants
// anything of a twin: it is tested on the fleet.
func deploys(p *rules.Program, r *rules.Rule) bool {
	return slices.ContainsFunc(p.Configurations(), func(c *twin.Configuration) bool {
		return c.Labels["rule"] == r.ID && c.Content["modulesContent"] != nil
	})
}
