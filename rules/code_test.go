package rules_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/twinrules/twinrules/rules"
)

// TestCodes holds every code to its entry in testdata/codes, from which its page
// is made: how to mend the mistake, a pack that has this mistake and no other,
// and the same pack mended.
func TestCodes(t *testing.T) {
	files, _ := filepath.Glob("testdata/codes/*.txtar")
	if len(files) != len(rules.Codes) {
		t.Errorf("%d entries for %d codes", len(files), len(rules.Codes))
	}
	for _, c := range rules.Codes {
		t.Run(string(c.Code), func(t *testing.T) {
			entry, err := txtar.ParseFile("testdata/codes/" + string(c.Code) + ".txtar")
			if err != nil {
				t.Fatal(err)
			}
			if len(entry.Files) != 2 || len(strings.TrimSpace(string(entry.Comment))) == 0 {
				t.Fatal("want how to mend it, pack.yaml and mended.yaml")
			}
			found := check(onePack(string(entry.Files[0].Data)))
			if len(found) == 0 {
				t.Error("the pack has no mistake")
			}
			for _, d := range found {
				if d.Code != c.Code {
					t.Errorf("also %s", d)
				}
			}
			for _, d := range check(onePack(string(entry.Files[1].Data))) {
				t.Errorf("mended: %s", d)
			}
		})
	}
}
