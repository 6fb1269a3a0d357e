package report_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/report"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// header is of a plan of a thousand twins.
func header() engine.Header {
	return engine.Header{
		Schema: engine.PlanSchema, Tool: "0.4.0", Pack: engine.PackInfo{Name: "cold-chain", Digest: "sha256:0123456789abcdef0123"},
		Hub: "contoso.azure-devices.net", TakenAt: time.Date(2026, 11, 21, 6, 0, 12, 0, time.UTC),
		Fleet: engine.FleetInfo{Digest: "xxh3:fedcba9876543210", Devices: 900, Modules: 100, Complete: true},
	}
}

func ruleCounts() []engine.RuleCount {
	return []engine.RuleCount{
		{Rule: "power-save", Mode: rules.Enforce, File: "pack.yaml", Line: 13},
		{Rule: "retire-ftp", Mode: rules.Enforce, File: "ftp.yaml", Line: 4},
	}
}

// edit is of a place such as desired.a.b; values are JSON, "" is none.
func edit(place, before, after string, by ...string) engine.Edit {
	path := strings.Split(place, ".")
	return engine.Edit{Section: path[0], Path: path[1:], Before: value(before), After: value(after), Rules: by}
}

func value(text string) any {
	if text == "" {
		return nil
	}
	v, err := twin.Decode([]byte(text))
	if err != nil {
		panic(err)
	}
	return v
}

func change(device string, edits ...engine.Edit) engine.Change {
	return engine.Change{Ref: twin.Ref{Device: device}, Edits: edits}
}

// changes makes n changes of devices that are called prefix and a number.
func changes(prefix string, n int, edits func(i int) []engine.Edit) (list []engine.Change) {
	for i := range n {
		list = append(list, change(fmt.Sprintf("%s-%05d", prefix, i), edits(i)...))
	}
	return list
}

func plan(changes ...engine.Change) *engine.Plan {
	return &engine.Plan{Header: header(), Rules: ruleCounts(), Changes: engine.ChangesOf(changes...)}
}

// show renders a plan or a difference.
func show(t testing.TB, format string, what any, opts *report.Options) string {
	t.Helper()
	f, err := report.Find(format)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	switch what := what.(type) {
	case *engine.Plan:
		err = f.Plan(&b, what, opts)
	case *engine.Difference:
		err = f.Difference(&b, what, opts)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func same(t testing.TB, got, want string) {
	t.Helper()
	if diff := cmp.Diff(strings.Split(got, "\n"), strings.Split(want, "\n")); diff != "" {
		t.Errorf("got (-) want (+):\n%s", diff)
	}
}

// golden compares got with a file, which UPDATE=1 rewrites.
func golden(t testing.TB, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, string(want))
}

func TestFind(t *testing.T) {
	for _, f := range report.Formats {
		if got, err := report.Find(f.Name); got != f || err != nil || f.Doc == "" {
			t.Errorf("%s: got %v, %v", f.Name, got, err)
		}
	}
	if _, err := report.Find("yaml"); err == nil || err.Error() != `unknown format "yaml": it is one of text, markdown, json` {
		t.Errorf("got %v", err)
	}
}

// samplePlan has a little of everything.
func samplePlan() *engine.Plan {
	p := plan(changes("reefer", 6, func(i int) []engine.Edit {
		was := []string{"60", "60", "60", "900", "900", ""}[i]
		return []engine.Edit{edit("desired.telemetry.intervalSec", was, "300", "power-save"), edit("tags.power", "", `"saver"`, "power-save")}
	})...)
	p.Changes = engine.ChangesOf(append(changesIn(p.Changes), change("zz", edit("desired.upload.ftp", `{"host":"ftp.contoso.example"}`, "", "retire-ftp")))...)
	p.Audited = engine.ChangesOf(engine.Change{Ref: twin.Ref{Device: "gw-1", Module: "locator"}, Edits: []engine.Edit{edit("tags.quarantine", "", "true", "quarantine")}})
	p.Configurations = []engine.ConfigurationChange{
		{Action: engine.Create, ID: "tr-channel-9cd9", Rule: "power-save", Reason: "the rule asks the hub to run it", After: configuration("stable", 10)},
		{Action: engine.Update, ID: "tr-fan-31f7", Reason: "the rule was changed", Before: configuration("old", 10), After: configuration("old", 20)},
		{Action: engine.Delete, ID: "tr-old-1111", Reason: "no rule asks for it", Before: configuration("old", 1)},
		{Action: engine.Keep, ID: "tr-older-2222", Reason: "until tr-channel-9cd9 has been applied", Before: configuration("old", 1)},
	}
	p.Rollouts = []engine.Rollout{
		{Rule: "power-save", By: "tags.site", Soak: "30m", OnFail: rules.Rollback, Gate: engine.Gate{OK: "reported.a == 1", MinOK: 8000, MaxFail: 250, Timeout: "24h"},
			Waves: []engine.Wave{{Count: 1, Units: 1, Twins: 4}, {Share: 500}, {Share: 10_000, Units: 2, Twins: 2}}},
		{Rule: "retire-ftp", Soak: "0s", OnFail: rules.Pause, Gate: engine.Gate{OK: "reported.b == nil", MinOK: 10_000, Timeout: "1h30m"},
			Waves: []engine.Wave{{Share: 1}, {Share: 10_000, Units: 1, Twins: 1}}},
		{Rule: "at-rest", Soak: "0s", OnFail: rules.Pause, Waves: []engine.Wave{{Share: 10_000}}},
	}
	p.Conflicts = []engine.Conflict{
		{Ref: twin.Ref{Device: "a"}, Place: "desired.tls", Wishes: []engine.ConflictWish{{Rule: "power-save", Value: value(`"1.2"`)}, {Rule: "retire-ftp", Value: nil}}},
		{Ref: twin.Ref{Device: "b"}, Place: "desired.tls", Wishes: []engine.ConflictWish{{Rule: "power-save", Value: value(`"1.3"`)}, {Rule: "retire-ftp", Value: nil}}},
	}
	p.Errors = []engine.Failure{
		{Ref: twin.Ref{Device: "c"}, Rule: "power-save", Message: "pack.yaml:20:9: reported.fan is missing"},
		{Ref: twin.Ref{Configuration: "tr-x"}, Rule: "power-save", Message: "the hub holds 100 configurations at the most"},
	}
	p.Warnings = []engine.Failure{
		{Ref: twin.Ref{Device: "d"}, Rule: "retire-ftp", Message: "plugin host: it used up its budget of 900 units of fuel [plugin.eval.fuel]", Fuel: 900},
		{Ref: twin.Ref{Device: "e"}, Rule: "retire-ftp", Message: "plugin host: it used up its budget of 900 units of fuel [plugin.eval.fuel]", Fuel: 900},
	}
	p.Spending = engine.Spending{Budget: 5000000, Plugins: []engine.PluginFuel{
		{Plugin: "host", Fuel: 4200000, Rules: []string{"retire-ftp"}}, {Plugin: "score", Fuel: 12, Rules: []string{"power-save", "at-rest"}},
	}}
	p.Breaches = []engine.Breach{{Rule: "power-save", Limits: rules.Limits{MaxTwins: 500, MaxPercent: 5}, Population: 100, Changed: 6, Allowed: 5}}
	return p
}

func configuration(channel string, priority int) *engine.ConfigurationState {
	return &engine.ConfigurationState{
		TargetCondition: "tags.kind = 'reefer'", Priority: priority, Metrics: map[string]string{"done": "SELECT deviceId FROM devices"},
		Content: twin.Object{"deviceContent": twin.Object{"properties.desired.channel": channel}},
	}
}

// sampleDifference has a little of everything.
func sampleDifference() *engine.Difference {
	base, head := plan(), plan()
	base.Changes = engine.ChangesOf(
		change("a", edit("desired.interval", "60", "300", "power-save")),
		change("b", edit("desired.target", `"1.8"`, `"2.0.1"`, "power-save")),
		change("c", edit("tags.same", "", "1", "power-save")),
	)
	head.Changes = engine.ChangesOf(
		change("b", edit("desired.target", `"1.8"`, `"2.1.0"`, "power-save")),
		change("c", edit("tags.same", "", "1", "retire-ftp"), edit("tags.site", "", `"oslo"`, "retire-ftp")),
	)
	base.Rollouts = []engine.Rollout{
		{Rule: "same", Soak: "0s", OnFail: rules.Pause, Gate: engine.Gate{MinOK: 10_000, Timeout: "24h"}, Waves: []engine.Wave{{Share: 10_000}}},
		{Rule: "gone", Soak: "0s", OnFail: rules.Pause, Waves: []engine.Wave{{Share: 10_000}}},
	}
	head.Rollouts = []engine.Rollout{
		{Rule: "power-save", By: "tags.site", Soak: "30m", OnFail: rules.Rollback, Gate: engine.Gate{MinOK: 8000, MaxFail: 200, Timeout: "24h"},
			Waves: []engine.Wave{{Count: 25, Units: 1, Twins: 1}, {Share: 10_000}}},
		base.Rollouts[0],
	}
	base.Errors = []engine.Failure{{Ref: twin.Ref{Device: "x"}, Rule: "power-save", Message: "old"}}
	base.Warnings = []engine.Failure{{Ref: twin.Ref{Device: "x"}, Rule: "retire-ftp", Message: "silent"}}
	head.Warnings = []engine.Failure{{Ref: twin.Ref{Device: "w"}, Rule: "retire-ftp", Message: "no answer", Fuel: 12}}
	head.Conflicts = []engine.Conflict{{Ref: twin.Ref{Device: "y"}, Place: "tags.z", Wishes: []engine.ConflictWish{{Rule: "one", Value: true}, {Rule: "two", Value: false}}}}
	head.Pack.Digest = "sha256:99999999999999999999"
	return compared(base, head)
}

// changesIn returns changes that are in memory.
func changesIn(c engine.Changes) (list []engine.Change) {
	for change, err := range c.All() {
		if err != nil {
			panic(err)
		}
		list = append(list, change)
	}
	return list
}

// compared returns what differs between plans whose changes are in memory.
func compared(base, head *engine.Plan) *engine.Difference {
	d, err := engine.Compare(base, head)
	if err != nil {
		panic(err)
	}
	return d
}
