package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

const estimatedPack = `apiVersion: twinrules/v1
kind: RulePack
metadata: {name: p}
defaults: {limits: {maxPercent: 100}}
rules:
  - {id: low, selector: 'tags.kind == "a"', when: reported.pct < 20, patch: {desired: {slow: true}}}
  - {id: high, selector: 'tags.kind in ["a", "b"]', when: reported.pct > 90, patch: {desired: {fast: true}}}
`

// percentages yields n devices, of kinds a, b and c in turn, that report 0 to 99.
func percentages(n int) func(yield func(*twin.Twin, error) bool) {
	return func(yield func(*twin.Twin, error) bool) {
		for i := range n {
			t, err := twin.Parse(fmt.Appendf(nil, `{"deviceId":"d%04d","etag":"AAAAAAAAAAI=","tags":{"kind":%q},"properties":{"desired":{},"reported":{"pct":%d}}}`,
				i, "abc"[i%3:i%3+1], i%100))
			if !yield(t, err) {
				return
			}
		}
	}
}

// TestEstimatedCalls holds what is estimated against the requests that plan and
// apply then make.
func TestEstimatedCalls(t *testing.T) {
	e, dir, env := loopback(t, &emulator.Options{Twins: percentages(700)})
	if err := os.WriteFile(filepath.Join(dir, "pack.yaml"), []byte(estimatedPack), 0o644); err != nil {
		t.Fatal(err)
	}
	requests := func() (n int) {
		for _, r := range e.Requests() {
			for _, prefix := range []string{"/devices", "/twins", "/configurations"} {
				if strings.HasPrefix(r.Path, prefix) {
					n++
				}
			}
		}
		return n
	}
	estimated := func(flags ...string) (calls map[string]int) {
		var doc estimateJSON
		out := mustRun(t, command(t, dir, env, append([]string{"plan", ".", "--estimate", "-o", "json"}, flags...)...), 0)
		if err := json.Unmarshal([]byte(out[strings.Index(out, "{"):]), &doc); err != nil {
			t.Fatal(err)
		}
		calls = map[string]int{}
		for _, w := range append(doc.Reading.Ways, doc.Writing.Ways...) {
			calls[w.Name] = w.Calls
		}
		return calls
	}
	want := estimated()
	for read, name := range map[string]string{"narrowed": "narrowed query", "selected": "query of what rules select", "all": "query of everybody"} {
		before := requests()
		mustRun(t, command(t, dir, env, "plan", ".", "--read", read, "--out", "plan.twp"), 0)
		if got := requests() - before; got != want[name] || got < 4 {
			t.Errorf("plan --read %s made %d requests, estimated %d", read, got, want[name])
		}
	}
	plan, err := loadPlan(filepath.Join(dir, "plan.twp"))
	if err != nil {
		t.Fatal(err)
	}
	n := plan.Changes.Len()
	before := requests()
	mustRun(t, command(t, dir, env, "apply", "plan.twp", "--yes"), 0)
	got := requests() - before
	if want := estimated("--changes", fmt.Sprint(n))["patch each twin under its etag"]; got != want || n < 50 {
		t.Errorf("apply made %d requests for %d changes, estimated %d", got, n, want)
	}
}

func TestAmount(t *testing.T) {
	for _, test := range []struct {
		text     string
		of, want int
		wrong    string
	}{
		{text: "0", of: 10, want: 0},
		{text: "7", of: 3, want: 7},
		{text: "50%", of: 5, want: 3},
		{text: "0.1%", of: 1000, want: 1},
		{text: "0%", of: 1000, want: 0},
		{text: "100%", of: -1, want: 0},
		{text: "101%", wrong: "no percentage"},
		{text: "NaN%", wrong: "no percentage"},
		{text: "-1", wrong: "neither a number"},
		{text: "1.5", wrong: "neither a number"},
		{text: "", wrong: "neither a number"},
	} {
		var a amount
		err := a.Set(test.text)
		switch {
		case test.wrong != "":
			if err == nil || !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("%q: got %v, want %s", test.text, err, test.wrong)
			}
		case err != nil:
			t.Errorf("%q: %v", test.text, err)
		case a.of(test.of) != test.want:
			t.Errorf("%q of %d: got %d, want %d", test.text, test.of, a.of(test.of), test.want)
		}
	}
}
