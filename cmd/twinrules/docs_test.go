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
	return markdownTable("name | is", rules.Names, func(n rules.Name) (string, string) { return n.Name, n.Doc })
}

func functionsTable() string {
	return markdownTable("function | is", rules.Functions, func(f rules.Function) (string, string) { return f.Signature, f.Doc })
}

func codesTable() string {
	return markdownTable("code | means", rules.Codes, func(c rules.CodeDoc) (string, string) { return string(c.Code), c.Doc })
}

// markdownTable returns a table with a row for each of list.
func markdownTable[T any](head string, list []T, row func(T) (word, doc string)) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |\n|---|---|\n", head)
	for _, v := range list {
		word, doc := row(v)
		fmt.Fprintf(&b, "| `%s` | %s |\n", word, doc)
	}
	return b.String()
}
