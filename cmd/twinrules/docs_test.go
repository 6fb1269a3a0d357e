package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/rules"
)

// TestLanguagePage holds the tables of docs/language.md against the slices that
// the language is made from. UPDATE=1 rewrites them.
func TestLanguagePage(t *testing.T) {
	const path = "../../docs/language.md"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	for name, table := range map[string]string{"names": namesTable(), "functions": functionsTable(), "codes": codesTable()} {
		section := regexp.MustCompile(`(?s)(<!-- ` + name + `:[^\n]*-->\n).*?(<!-- /` + name + ` -->)`)
		if !section.MatchString(page) {
			t.Fatalf("the page has no section %s", name)
		}
		page = section.ReplaceAllStringFunc(page, func(old string) string {
			m := section.FindStringSubmatch(old)
			return m[1] + table + m[2]
		})
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if page != string(data) {
		t.Errorf("the tables are not those of the language: %s", firstDifference(string(data), page))
	}
}

func namesTable() string {
	var b strings.Builder
	b.WriteString("| name | is |\n|---|---|\n")
	for _, n := range rules.Names {
		fmt.Fprintf(&b, "| `%s` | %s |\n", n.Name, n.Doc)
	}
	return b.String()
}

func functionsTable() string {
	var b strings.Builder
	b.WriteString("| function | is |\n|---|---|\n")
	for _, f := range rules.Functions {
		fmt.Fprintf(&b, "| `%s` | %s |\n", f.Signature, f.Doc)
	}
	return b.String()
}

func codesTable() string {
	var b strings.Builder
	b.WriteString("| code | means |\n|---|---|\n")
	for _, c := range rules.Codes {
		fmt.Fprintf(&b, "| `%s` | %s |\n", c.Code, c.Doc)
	}
	return b.String()
}
