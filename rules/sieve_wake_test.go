package rules_test

import (
	"strings"
	"testing"
	"time"

	"github.com/twinrules/twinrules/rules"
)

// TestWake is until when rules say the same, for each way to look at the clock.
// The twin was heard of an hour ago, its pct is two hours old.
func TestWake(t *testing.T) {
	data := []byte(`{"deviceId":"d","lastActivityTime":"2026-11-20T11:00:00Z","tags":{"until":"2026-11-21T00:00:00Z","odd":7,"kind":"a"},
		"properties":{"reported":{"pct":1,"$metadata":{"pct":{"$lastUpdated":"2026-11-20T10:00:00.5Z"},"odd":{"$lastUpdated":"yesterday"}}}}}`)
	never, now := time.Duration(-1), time.Duration(0)
	for when, want := range map[string]time.Duration{
		`reported.pct < 20`:                  never,
		`age(reported.pct) > duration("3h")`: time.Hour + time.Second/2,
		`age(reported.pct) > duration("3h") and age(reported.pct) < duration("2h30m")`:        time.Hour/2 + time.Second/2,
		`not (age(reported.pct) <= duration("3h")) or tags.kind == "b"`:                       time.Hour + time.Second/2,
		`age(reported.pct) > duration("1h")`:                                                  never,
		`duration("4h") <= age(reported.pct)`:                                                 2*time.Hour + time.Second/2,
		`age(reported.none) > duration("3h")`:                                                 never,
		`age(reported.odd) > duration("3h")`:                                                  now,
		`now - updated(reported.pct) > duration("3h")`:                                        time.Hour + time.Second/2,
		`now - lastActivityTime >= duration("90m")`:                                           time.Hour / 2,
		`now - lastActivityTime >= duration("1h")`:                                            1,
		`now - lastActivityTime >= duration("30m")`:                                           never,
		`now > time(tags.until)`:                                                              12 * time.Hour,
		`time(tags.until) <= now`:                                                             12 * time.Hour,
		`time(tags.until) - now < duration("5h")`:                                             7 * time.Hour,
		`now - time(tags.until) > duration("5h")`:                                             17 * time.Hour,
		`time(tags.until) - duration("1h") < now`:                                             11 * time.Hour,
		`time(tags.none) < now`:                                                               never,
		`tags.odd < now`:                                                                      now,
		`now < time("2026-11-20T12:00:00Z")`:                                                  1,
		`now < time("2026-11-20T12:00:01Z")`:                                                  time.Second,
		`now < time("2026-11-20T11:59:59Z")`:                                                  never,
		`now < time("2026-11-20T11:59:59Z") or age(reported.pct) > duration("3h")`:            time.Hour + time.Second/2,
		`age(reported.pct) == duration("3h")`:                                                 now,
		`age(reported.pct) > age(reported.odd)`:                                               now,
		`(tags.kind == "a" ? age(reported.pct) : duration("1h")) > duration("3h")`:            now,
		`tags.kind == "b" and age(reported.pct) == duration("3h")`:                            now,
		`int(now - lastActivityTime > duration("90m") ? "1" : "2") == 1 and tags.kind == "a"`: now,
	} {
		t.Run(when, func(t *testing.T) {
			p := program(t, "{}", "  - id: r\n    when: |\n      "+when+"\n    patch: {tags: {hit: true}}\n", nil)
			holdsWake(t, p, data, want)
		})
	}
}

// TestWakeOfOthers is the same for what is no condition.
func TestWakeOfOthers(t *testing.T) {
	data := []byte(`{"deviceId":"d","tags":{"kind":"a"},"properties":{"reported":{"pct":1,"$metadata":{"pct":{"$lastUpdated":"2026-11-20T10:00:00Z"}}}}}`)
	for name, c := range map[string]struct {
		rule string
		want time.Duration
	}{
		"who is not selected":             {"selector: tags.kind == \"b\"\n    when: age(reported.pct) == duration(\"3h\")", -1},
		"what is computed":                {"when: tags.kind == \"a\"\n    patch: {tags: {at: \"${ now }\"}}", 0},
		"what is computed of nobody":      {"when: tags.kind == \"b\"\n    patch: {tags: {at: \"${ now }\"}}", -1},
		"the end":                         {"until: age(reported.pct) > duration(\"3h\")", time.Hour},
		"an odd end":                      {"until: age(reported.pct) == duration(\"3h\")", 0},
		"a counted rollout":               {"rollout: {waves: [1, 100%], gate: {ok: tags.hit == true}}", -1},
		"a counted rollout with an age":   {"when: age(reported.pct) > duration(\"3h\")\n    rollout: {waves: [1, 100%], gate: {ok: tags.hit == true}}", 0},
		"a rule that is off":              {"mode: \"off\"\n    when: age(reported.pct) == duration(\"3h\")", -1},
		"a module's":                      {"on: module/m\n    when: age(reported.pct) == duration(\"3h\")", -1},
		"an object that is computed, too": {"patch: {tags: {o: {at: \"${ age(reported.pct) }\"}}}", 0},
	} {
		t.Run(name, func(t *testing.T) {
			body := "  - id: r\n    " + c.rule + "\n"
			if !strings.Contains(c.rule, "patch:") {
				body += "    patch: {tags: {hit: true}}\n"
			}
			holdsWake(t, program(t, "{}", body, nil), data, c.want)
		})
	}
}

// TestWakeOfPlugins: one that is not told the time says the same at any.
func TestWakeOfPlugins(t *testing.T) {
	data := []byte(`{"deviceId":"d","tags":{"kind":"a"},"properties":{"reported":{"pct":1,"$metadata":{"pct":{"$lastUpdated":"2026-11-20T10:00:00Z"}}}}}`)
	for name, c := range map[string]struct {
		reads []string
		when  string
		want  time.Duration
	}{
		"it declares nothing":        {nil, "plugin.x == 1", 0},
		"it reads the time":          {[]string{"reported.pct", "now"}, "plugin.x == 1", 0},
		"it does not":                {[]string{"reported.pct"}, "plugin.x == 1", -1},
		"it reads nothing":           {[]string{}, "plugin.x == 1", -1},
		"the condition reads an age": {[]string{}, "plugin.x == 1 and age(reported.pct) > duration('3h')", 0},
	} {
		t.Run(name, func(t *testing.T) {
			body := "  - {id: r, plugin: {use: judge}, when: \"" + c.when + "\", patch: {tags: {hit: true}}}\n"
			holdsWake(t, program(t, "{}", body, fakePlugins{fakePlugin{reads: c.reads}}), data, c.want)
		})
	}
}

// holdsWake holds the wake of a twin to how long from noon it is; -1 is never.
func holdsWake(t *testing.T, p *rules.Program, data []byte, want time.Duration) {
	t.Helper()
	sifter := p.Sieve(noon, nil).Sifter()
	sifter.Sift(data)
	at, ever := sifter.Wake()
	if got := at.Sub(noon.Now); ever != (want >= 0) || ever && got != want {
		t.Errorf("got %v %v, want %v", ever, got, want)
	}
}
