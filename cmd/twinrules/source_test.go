package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/snapshot"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// TestOnePlanOfEachSnapshot: whether twins come from a plain file, from frames or
// from frames without labels, as other tools make them, and however many workers
// there are, the plan is the same, byte for byte.
func TestOnePlanOfEachSnapshot(t *testing.T) {
	pack, err := rules.Load(fstest.MapFS{"pack.yaml": {Data: []byte(`
apiVersion: twinrules/v1
kind: RulePack
metadata: {name: p}
defaults: {limits: {maxTwins: 100000, maxPercent: 100}}
rules:
  - {id: full, selector: tags.kind == "a", when: reported.pct > 90, patch: {desired: {full: true}}}
  - {id: module, on: module/agent, when: reported.pct > 10, patch: {desired: {z: 2}}}
`)}})
	if err != nil {
		t.Fatal(err)
	}
	program, err := rules.Compile(t.Context(), pack, nil)
	if err != nil {
		t.Fatal(err)
	}
	var want []byte
	for _, path := range threeForms(t) {
		s, err := snapshot.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, workers := range []int{1, 3} {
			plan, err := engine.Evaluate(t.Context(), program, sourceOf(s), &engine.Options{Workers: workers, Moment: rules.Moment{Now: s.TakenAt}})
			var b bytes.Buffer
			if err == nil {
				err = engine.WritePlan(&b, plan)
			}
			if err != nil || plan.Rules[0].Changed < 30 || plan.Rules[1].Changed < 30 {
				t.Fatal(err, plan)
			}
			if want == nil {
				want = b.Bytes()
			}
			if !bytes.Equal(b.Bytes(), want) {
				t.Errorf("%s and %d workers make another plan", filepath.Base(path), workers)
			}
		}
	}
}

// threeForms records 800 twins of 3 MB in three forms.
func threeForms(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	paths := []string{filepath.Join(dir, "plain.ndjson"), filepath.Join(dir, "frames.zst"), filepath.Join(dir, "unlabelled.zst")}
	for _, path := range paths[:2] {
		r, err := snapshot.Create(path, "h", time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 800 {
			module := strings.Repeat(`"moduleId":"agent",`, i%2)
			one, err := twin.Parse(fmt.Appendf(nil, `{"deviceId":"d%d",%s"tags":{"kind":"a"},"properties":{"reported":{"pct":%d,"note":%q}}}`, i, module, i%99, strings.Repeat("note ", 700)))
			if err == nil {
				err = r.Twin(one)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := r.Finish(true); err != nil {
			t.Fatal(err)
		}
	}
	labelled, err := os.ReadFile(paths[1])
	var frames []byte
	for len(labelled) > 0 && err == nil { // a label has 24 bytes, of which the last 12 are sizes
		end := 24 + binary.LittleEndian.Uint32(labelled[12:])
		frames, labelled = append(frames, labelled[24:end]...), labelled[end:]
	}
	if err == nil {
		err = os.WriteFile(paths[2], frames, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return paths
}
