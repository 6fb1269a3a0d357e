package rules_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// TestTheDesignsOwnPack: the example by which the language was designed has every
// part of it, and is a pack: nothing is wrong with it but what check warns of.
func TestTheDesignsOwnPack(t *testing.T) {
	text, err := os.ReadFile("testdata/design.yaml")
	if err != nil {
		t.Fatal(err)
	}
	pack, err := rules.Load(onePack(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	scored := judge{&rules.Finding{Facts: twin.Object{"score": jsonNumber("0.95")}}, nil}
	for _, d := range rules.Check(t.Context(), pack, &rules.Options{Plugins: scored}) {
		t.Error(d)
	}
	program, err := rules.Compile(t.Context(), pack, &rules.Options{Plugins: scored})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range program.Test(t.Context(), rules.Moment{}) {
		if r.Problem != "" {
			t.Errorf("%s: %s: %s", r.Rule.ID, r.Case.Name, r.Problem)
		}
	}
	r := pack.Rules[0].Rollout
	var sizes []string
	for _, w := range r.Waves {
		sizes = append(sizes, w.String())
	}
	if got := strings.Join(sizes, " "); got != "1 5% 25% 100%" {
		t.Errorf("waves %s", got)
	}
	if r.By.String() != "tags.site" || r.Soak != 30*time.Minute || r.Gate.MinOK != 8000 || r.Gate.MaxFail != 200 || r.Gate.Timeout != 24*time.Hour || r.OnFail != rules.Rollback {
		t.Errorf("got %+v", r)
	}
}
