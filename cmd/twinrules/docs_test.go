package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/spf13/pflag"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/credential"
	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/estimate"
	"github.com/twinrules/twinrules/hub/snapshot"
	"github.com/twinrules/twinrules/rules"
)

// TestPages holds the tables of pages in docs against the slices that the
// program is made from. UPDATE=1 rewrites them.
func TestPages(t *testing.T) {
	for page, tables := range map[string]map[string]string{
		"language.md":   {"pack": keysTable("pack"), "rule": keysTable("rule"), "names": namesTable(), "functions": functionsTable(), "codes": codesTable()},
		"emulator.md":   {"behaviours": behavioursTable(), "flags": emulatorFlagsTable(), "bodies": bodiesTable()},
		"estimate.md":   {"limits": limitsTable()},
		"snapshots.md":  {"lacks": "`" + strings.Join(snapshot.ExportLacks(), "`, `") + "`.\n"},
		"signing-in.md": {"kinds": kindsTable(), "purposes": purposesTable(), "settings": settingsTable()},
	} {
		t.Run(page, func(t *testing.T) { holdTables(t, "../../docs/"+page, tables) })
	}
}

func holdTables(t *testing.T, path string, tables map[string]string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	for name, table := range tables {
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
		t.Errorf("the tables are not those of the program: %s", firstDifference(string(data), page))
	}
}

func behavioursTable() string {
	return markdownTable("behaviour | of devices", emulator.Behaviours, func(b *emulator.Behaviour) (string, string) {
		return b.Name, fmt.Sprintf("%d %%: %s", b.Percent, b.Doc)
	})
}

func emulatorFlagsTable() string {
	var list []*pflag.Flag
	newEmulator(&environment{}).Flags().VisitAll(func(f *pflag.Flag) { list = append(list, f) })
	return markdownTable("flag | is", list, func(f *pflag.Flag) (string, string) {
		if f.DefValue == "" || f.DefValue == "0" || f.DefValue == "false" || f.DefValue == "0s" {
			return "--" + f.Name, f.Usage
		}
		return "--" + f.Name, f.Usage + " (default `" + f.DefValue + "`)"
	})
}

func bodiesTable() string {
	return markdownTable("`body` | the answer is", emulator.Bodies(), func(b [2]string) (string, string) { return b[0], b[1] })
}

func limitsTable() string {
	return markdownTable("limit | S1 × 1, S1 × 10, S2 × 10, S3 × 1", hub.Classes(), func(c *hub.Class) (string, string) {
		var list []string
		for _, of := range []struct {
			tier  hub.Tier
			units int
		}{{hub.TierS1, 1}, {hub.TierS1, 10}, {hub.TierS2, 10}, {hub.TierS3, 1}} {
			n, _ := c.Limit(of.tier, of.units)
			list = append(list, fmt.Sprint(n))
		}
		_, per := c.Limit(hub.TierS1, 1)
		return c.Name, strings.Join(list, ", ") + " in " + estimate.Show(per)
	})
}

func kindsTable() string {
	return markdownTable("kind | signs in", credential.Kinds, func(k *credential.Kind) (string, string) { return k.Name, k.Doc })
}

func purposesTable() string {
	return markdownTable("`--for` | takes", purposes, func(p purpose) (string, string) {
		return p.name, "`" + strings.Join(p.actions, "`, `") + "`: " + p.doc
	})
}

func settingsTable() string {
	return markdownTable("setting | is", configKeys, func(k configKey) (string, string) {
		if k.trusted {
			return k.key, "`--" + k.flag + "`; only in a file that `--config` names"
		}
		return k.key, "`--" + k.flag + "`"
	})
}

// keysTable lists the keys of a shape of the language.
func keysTable(shape string) string {
	i := slices.IndexFunc(rules.Shapes, func(s *rules.Shape) bool { return s.Name == shape })
	return markdownTable("key | holds", rules.Shapes[i].Keys, func(k rules.Key) (string, string) { return k.Name, k.Doc })
}

func namesTable() string {
	return markdownTable("name | is", rules.Names, func(n rules.Name) (string, string) { return n.Name, n.Doc })
}

func functionsTable() string {
	return markdownTable("function | is", rules.Functions, func(f rules.Function) (string, string) { return f.Signature, f.Doc })
}

func codesTable() string {
	return markdownTable("code | means", rules.Codes, func(c rules.CodeDoc) (string, string) {
		doc := c.Doc
		if c.Warning {
			doc = "warning: " + doc
		}
		return string(c.Code), doc + " ([more](codes.md#" + string(c.Code) + "))"
	})
}

// TestCodesPage holds docs/codes.md, the page of the codes, against the table of
// codes, their entries in rules/testdata/codes, and what check prints of them.
// UPDATE=1 rewrites it.
func TestCodesPage(t *testing.T) {
	var b strings.Builder
	b.WriteString("<!-- made from rules.Codes and rules/testdata/codes, UPDATE=1 go test ./cmd/twinrules -->\n\n# Mistakes\n\n" +
		"What `twinrules check` says of a pack, by the code at the end of each message. Codes are stable.\n")
	for _, c := range rules.Codes {
		entry, err := txtar.ParseFile("../../rules/testdata/codes/" + string(c.Code) + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		mistaken, mended := string(entry.Files[0].Data), string(entry.Files[1].Data)
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n\n```yaml\n%s```\n\n```text\n%s```\n\n%s\n\n```yaml\n%s```\n",
			c.Code, strings.ToUpper(c.Doc[:1])+c.Doc[1:], mistaken, checked(t, mistaken), strings.TrimSpace(string(entry.Comment)), mended)
	}
	const path = "../../docs/codes.md"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != b.String() {
		t.Errorf("the page is not that of the program: %s", firstDifference(string(page), b.String()))
	}
}

// checked returns what check prints of a pack.
func checked(t *testing.T, pack string) string {
	t.Helper()
	_, list, err := check(t.Context(), fstest.MapFS{"pack.yaml": {Data: []byte(pack)}})
	if err != nil || len(list) == 0 {
		t.Fatalf("no mistake, but %v, in\n%s", err, pack)
	}
	var b bytes.Buffer
	writeDiagnostics(&b, list)
	return b.String()
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
