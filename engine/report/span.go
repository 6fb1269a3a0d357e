package report

import (
	"strings"

	"github.com/twinrules/twinrules/rules"
)

// short shows the beginning of a digest.
func short(digest string) string {
	if len(digest) > 19 {
		digest = strings.ToValidUTF8(digest[:19], "")
	}
	return code(digest)
}

// code returns text as a short code span.
func code(text string) string { return span(text, 60) }

// span returns text as a code span: cut to at most max characters, in one line,
// in a fence that is longer than any run of backticks in it. Nothing in a code
// span is markup, a mention or a link.
func span(text string, max int) string {
	text = rules.Excerpt(text, max)
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") || strings.TrimSpace(text) == "" {
		text = " " + text + " "
	}
	return fence + text + fence
}

// cell returns text as a code span for a table.
func cell(text string, max int) string { return inCell(span(text, max)) }

// inCell returns Markdown for a table, where a bar ends a cell even within code
// unless there is a backslash before it. Renderers differ on two backslashes
// before a bar.
func inCell(markdown string) string {
	return strings.NewReplacer(`\|`, `\u{5c}\|`, `|`, `\|`).Replace(markdown)
}

// prose returns a sentence as it is when it has nothing in it that could be
// markup, and as a code span otherwise.
func prose(text string) string {
	if text == "" || bare(text) != text {
		return span(text, 200)
	}
	return text
}

// bare returns text without what could be markup.
func bare(text string) string {
	return strings.Map(func(r rune) rune {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		if letter || strings.ContainsRune(" ,:;()%?'-", r) {
			return r
		}
		return -1
	}, text[:min(len(text), 300)])
}
