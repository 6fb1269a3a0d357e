package engine

import (
	"bytes"
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/hub/twin"
)

// TestLinesOfChangesAreEncodingJSON holds our way of writing changes to the
// library's, with edits that are remembered, too.
func TestLinesOfChangesAreEncodingJSON(t *testing.T) {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "x", `a"b`, "é", "\u2028", "<&>", "\x00", "\xff"}), rapid.String())
	value := rapid.Custom(func(t *rapid.T) any {
		return rapid.SampledFrom([]any{nil, true, json.Number("1.50"), twin.Object{"b": nil, "a": []any{"x", json.Number("1")}}, text.Draw(t, "value")}).Draw(t, "of")
	})
	edit := rapid.Custom(func(t *rapid.T) Edit {
		return Edit{text.Draw(t, "section"), rapid.SliceOfN(text, 0, 3).Draw(t, "path"), value.Draw(t, "before"), value.Draw(t, "after"),
			rapid.SliceOfN(text, 0, 3).Draw(t, "rules"), text.Draw(t, "why")}
	})
	rapid.Check(t, func(t *rapid.T) {
		var e lineEncoder
		edits := rapid.SliceOfN(edit, 0, 3).Draw(t, "edits")
		for range 3 {
			c := &Change{
				Ref:  twin.Ref{Device: text.Draw(t, "device"), Module: text.Draw(t, "module"), Configuration: text.Draw(t, "configuration")},
				ETag: text.Draw(t, "etag"), Version: rapid.Int64().Draw(t, "version"), DesiredVersion: rapid.Int64().Draw(t, "desired"), DeviceETag: text.Draw(t, "deviceEtag"),
				Edits: edits,
			}
			for range rapid.IntRange(0, 2).Draw(t, "cohorts") {
				c.Cohorts = append(c.Cohorts, Cohort{text.Draw(t, "rule"), text.Draw(t, "unit"), rapid.Int().Draw(t, "wave")})
			}
			for _, l := range []planLine{{Change: c}, {Audited: c}} {
				var want bytes.Buffer
				j := json.NewEncoder(&want)
				j.SetEscapeHTML(false)
				if err := j.Encode(l); err != nil {
					t.Fatal(err)
				}
				if got, err := e.append([]byte("before "), l); err != nil || string(got) != "before "+want.String() {
					t.Fatalf("got %s %v\nwant %s", got, err, want.String())
				}
			}
		}
	})
}
