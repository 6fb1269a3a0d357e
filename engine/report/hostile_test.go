package report_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/report"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// hostile are texts that mean something to a terminal or a Markdown renderer.
var hostile = []string{
	"", " ", "`", "``", "a```b", "` x `", "|", `\|`, `\\|`, `\`, `a\`, "a\nb", "a\r\n\r\n# b", "- x", "> x", "| a | b |\n|--|--|",
	"<img src=x onerror=y>", "</details>", "<!--", "-->", "@octocat", "#1", "https://evil.example", "www.evil.example", "[a](http://b)", "![a](b)",
	"**b**", "~~b~~", "&lt;", "\x1b[31m", "\x1b]0;t\x07", "\u009b31m", "\u202e\u2066", "\u2028\u2029\u0085", "\x00\x08\x7f", "\u200b\ufeff", "\xff\xfe",
	"あ漢字", "e\u0301", strings.Repeat("`", 70), strings.Repeat("\u202e", 300), strings.Repeat("|", 300), strings.Repeat("\U000e0041", 300),
}

func anyText() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom(hostile), rapid.String(), rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(hostile), 2, 4).Draw(t, "parts"), "")
	}))
}

func anyValue() *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			return nil
		case 1:
			return value(rapid.SampledFrom([]string{"1.50e3", "true", "[]", "{}", "9007199254740993"}).Draw(t, "scalar"))
		case 2:
			return twin.Object{anyText().Draw(t, "key"): anyText().Draw(t, "inner")}
		}
		return anyText().Draw(t, "text")
	})
}

// anyPlan is a plan that nobody would make, with any text anywhere.
func anyPlan(t *rapid.T) *engine.Plan {
	p := plan()
	text := func() string { return anyText().Draw(t, "text") }
	names := []string{"power-save", text(), text()}
	ref := func(i int) twin.Ref {
		return twin.Ref{Device: fmt.Sprintf("%03d%s", i, text()), Module: anyText().Draw(t, "module")}
	}
	for i := range rapid.IntRange(0, 6).Draw(t, "changes") {
		c := engine.Change{Ref: ref(i)}
		for k := range rapid.IntRange(1, 3).Draw(t, "edits") {
			by := rapid.SliceOfN(rapid.SampledFrom(names), 1, 3).Draw(t, "rules")
			c.Edits = append(c.Edits, engine.Edit{
				Section: "tags", Path: []string{fmt.Sprint(k), text()}, Before: anyValue().Draw(t, "before"), After: anyValue().Draw(t, "after"), Rules: by,
			})
		}
		p.Changes = engine.ChangesOf(append(changesIn(p.Changes), c)...)
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "problems") {
		p.Errors = append(p.Errors, engine.Failure{Ref: ref(i), Rule: text(), Message: text()})
		p.Conflicts = append(p.Conflicts, engine.Conflict{Ref: ref(i), Place: text(), Wishes: []engine.ConflictWish{{Rule: text(), Value: anyValue().Draw(t, "wish")}}})
		p.Breaches = append(p.Breaches, engine.Breach{Rule: text(), Limits: rules.Limits{MaxTwins: i}})
		p.Rollouts = append(p.Rollouts, engine.Rollout{Rule: text(), By: text(), Soak: text(), OnFail: rules.OnFail(text()), Gate: engine.Gate{OK: text(), Timeout: text()},
			Waves: []engine.Wave{{Count: 1 + i, Twins: i}, {Share: rules.Everybody, Units: 1, Twins: 2}}})
		p.Configurations = append(p.Configurations, engine.ConfigurationChange{
			Action: engine.Create, ID: text(), Rule: text(), Reason: text(),
			After: &engine.ConfigurationState{TargetCondition: text(), Content: twin.Object{text(): text()}, Metrics: map[string]string{text(): text()}},
		})
	}
	p.Pack.Name, p.Hub, p.Tool, p.Pack.Digest, p.Fleet.Digest = text(), text(), text(), text(), text()
	p.Rules[0].File = text()
	return p
}

// controls lists what a terminal would act on in text, line ends aside.
func controls(text string) (list []string) {
	for _, r := range text {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029') {
			list = append(list, fmt.Sprintf("%U", r))
		}
	}
	return list
}

func TestNoControlCharacterLeaves(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := anyPlan(rt)
		for _, f := range report.Formats {
			for _, what := range []any{p, compared(plan(), p), compared(p, plan())} {
				if list := controls(show(t, f.Name, what, nil)); len(list) > 0 {
					rt.Errorf("%s: %s", f.Name, list)
				}
			}
		}
	})
}

func TestMarkdownStaysMarkdown(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := anyPlan(rt)
		for _, what := range []any{p, compared(plan(), p), compared(p, plan())} {
			text := show(t, "markdown", what, nil)
			if _, err := skeleton(text); err != nil {
				rt.Errorf("%v in\n%s", err, text)
			}
			if len(text) > report.MaxMarkdown {
				rt.Errorf("%d bytes", len(text))
			}
		}
	})
}

// skeleton returns Markdown with S for each code span, or an error when there is
// markup in it that this package does not write.
func skeleton(text string) (string, error) {
	var out []string
	for i, line := range strings.Split(text, "\n") {
		bare, err := withoutSpans(line)
		if err != nil {
			return "", fmt.Errorf("line %d: %w", i+1, err)
		}
		if err := onlyOurs(bare); err != nil {
			return "", fmt.Errorf("line %d: %w", i+1, err)
		}
		out = append(out, bare)
	}
	return strings.Join(out, "\n"), tables(strings.Split(text, "\n"))
}

// withoutSpans replaces the code spans of a line, as CommonMark finds them: from
// a run of backticks to the next run of the same length.
func withoutSpans(line string) (string, error) {
	var out strings.Builder
	for {
		begin := strings.IndexByte(line, '`')
		if begin < 0 {
			return out.String() + line, nil
		}
		out.WriteString(line[:begin])
		line = line[begin:]
		fence := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		end := closing(line[len(fence):], len(fence))
		if end < 0 {
			return "", fmt.Errorf("the span %.80q is not closed", line)
		}
		out.WriteString("S")
		line = line[len(fence)+end+len(fence):]
	}
}

// closing returns where a run of exactly n backticks begins.
func closing(text string, n int) int {
	for i := 0; i < len(text); {
		run := len(text[i:]) - len(strings.TrimLeft(text[i:], "`"))
		if run == n {
			return i
		}
		i += max(run, 1)
	}
	return -1
}

// onlyOurs checks the text outside of code spans.
func onlyOurs(line string) error {
	if rest, ok := strings.CutPrefix(line, "<!-- twinrules:v1 kind="); ok {
		inner, closed := strings.CutSuffix(rest, " -->")
		if !closed || strings.ContainsAny(inner, "<>!&") {
			return fmt.Errorf("the marker %q", line)
		}
		return nil
	}
	for _, ours := range []string{
		"### twinrules · ", "> [!WARNING]", "> - ", "<details><summary>Some of the twins</summary>", "</details>", "<sub>", "</sub>", "<br>",
		"**Audit only, never written**", "**removed**", " **", "** of ",
	} {
		line = strings.ReplaceAll(line, ours, "")
	}
	if italic := strings.Count(line, "*"); italic%2 != 0 || strings.ContainsAny(line, "<>@[]\\`_~#&") || strings.Contains(line, "://") || strings.Contains(line, "www") {
		return fmt.Errorf("%q stands outside of code", line)
	}
	return nil
}

// tables checks that each row has the cells of its table's head, whatever a
// renderer thinks of two backslashes.
func tables(lines []string) error {
	want := 0
	for i, line := range lines {
		if !strings.HasPrefix(line, "|") {
			want = 0
			continue
		}
		bars := 0
		for k := range len(line) {
			switch {
			case line[k] != '|':
			case k == 0 || line[k-1] != '\\':
				bars++
			case k > 1 && line[k-2] == '\\':
				return fmt.Errorf("line %d: two backslashes before a bar", i+1)
			}
		}
		if want == 0 {
			want = bars
		}
		if bars != want {
			return fmt.Errorf("line %d: %d bars, not %d", i+1, bars, want)
		}
	}
	return nil
}

// The structure of a page does not depend on what a device, or whoever writes
// to it, wrote: it is that of the same page with harmless text.
func FuzzInjection(f *testing.F) {
	for i, text := range hostile {
		f.Add(text, hostile[len(hostile)-1-i], hostile[(i*7+3)%len(hostile)], hostile[(i*5+1)%len(hostile)])
	}
	f.Fuzz(func(t *testing.T, device, key, text, message string) {
		page := func(device, key, text, message string) *engine.Plan {
			p := plan(engine.Change{Ref: twin.Ref{Device: device}, Edits: []engine.Edit{
				{Section: "desired", Path: []string{"a", key}, Before: text, After: true, Rules: []string{"power-save"}},
				{Section: "tags", Path: []string{key}, Before: false, After: twin.Object{"k": text}, Rules: []string{"power-save"}},
			}})
			p.Errors = []engine.Failure{{Ref: twin.Ref{Device: device}, Rule: "power-save", Message: message}}
			p.Conflicts = []engine.Conflict{{Ref: twin.Ref{Device: device}, Place: key, Wishes: []engine.ConflictWish{{Rule: "power-save", Value: text}}}}
			return p
		}
		wild, tame := page(device, key, text, message), page("d", "k", "t", "m")
		for _, pair := range [][2]any{{wild, tame}, {compared(plan(), wild), compared(plan(), tame)}, {compared(wild, plan()), compared(tame, plan())}} {
			got, err := skeleton(show(t, "markdown", pair[0], nil))
			want, err2 := skeleton(show(t, "markdown", pair[1], nil))
			if err != nil || err2 != nil || got != want {
				t.Errorf("%v, %v\ngot\n%s\nwant\n%s", err, err2, got, want)
			}
			for _, format := range []string{"text", "json"} {
				if list := controls(show(t, format, pair[0], nil)); len(list) > 0 {
					t.Errorf("%s: %s", format, list)
				}
			}
			if lines := heads(show(t, "text", pair[0], nil)); !slices.Equal(lines, heads(show(t, "text", pair[1], nil))) {
				t.Errorf("text: %q", lines)
			}
		}
	})
}

// heads returns the signs that begin the blocks of a text.
func heads(text string) (list []string) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "  ") && line[2] != ' ' && line[2] != '\n' {
			list = append(list, line[2:3])
		}
	}
	return list
}
