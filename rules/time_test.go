package rules_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// TestTime reads times as devices spell them, and takes what is none for
// missing. The test's now is noon of 2026-11-20.
func TestTime(t *testing.T) {
	const reported = `{"s":1795176000,"ms":1795176000123,"half":1795176000.5,"list":["2026-11-20"],"zero":0,"odd":1e999,"on":true}`
	for expression, want := range map[string]string{
		`time("2026-11-20T12:00:00Z")`:                          `"2026-11-20T12:00:00Z"`,
		`time("2026-11-20T12:00:00.1234567Z")`:                  `"2026-11-20T12:00:00.1234567Z"`,
		`time("2026-11-20T14:00:00+02:00")`:                     `"2026-11-20T12:00:00Z"`,
		`time("2026-11-20")`:                                    `"2026-11-20T00:00:00Z"`,
		`time(reported.s)`:                                      `"2026-11-20T12:00:00Z"`,
		`time(reported.half)`:                                   `"2026-11-20T12:00:00.5Z"`,
		`time(reported.ms / 1000)`:                              `"2026-11-20T12:00:00.123Z"`,
		`time(reported.zero)`:                                   `"1970-01-01T00:00:00Z"`,
		`time(now) == now`:                                      "true",
		`time("2026-11-20T12:00:00Z") == now`:                   "true",
		`time("2026-12-20") - now < duration("720h")`:           "true",
		`time("2026-12-21") - now < duration("720h")`:           "false",
		`time("2026-12-20") > now + duration("720h")`:           "false",
		`time(reported.ms) ?? "none"`:                           `"none"`,
		`time(reported.odd) ?? "none"`:                          `"none"`,
		`time(reported.on) ?? "none"`:                           `"none"`,
		`time(reported.list) ?? "none"`:                         `"none"`,
		`time(reported.nothing) ?? "none"`:                      `"none"`,
		`time("2026-11-20T12:00:00") ?? "none"`:                 `"none"`, // where?
		`time("20.11.2026") ?? "none"`:                          `"none"`,
		`time("2026-02-30") ?? "none"`:                          `"none"`,
		`time("Nov 20 12:00:00 2026 GMT") ?? "none"`:            `"none"`,
		`time("") ?? "none"`:                                    `"none"`,
		`time("0000-01-01") ?? "none"`:                          `"none"`,
		`time("soon") < now`:                                    "false",
		`time("soon") >= now`:                                   "false",
		`time("soon") == nil`:                                   "true",
		`time("soon") - now < duration("1h")`:                   "false",
		`map(reported.list, time(#) < now)[0]`:                  "true",
		`max(time("2026-11-20"), time("2027-01-01T00:00:00Z"))`: `"2027-01-01T00:00:00Z"`,
	} {
		if got := leafOf(t, reported, "'${ "+expression+" }'"); got != want {
			t.Errorf("%s: got %s, want %s", expression, got, want)
		}
	}
}

// FuzzTime: whatever a device spells, a time is read or missing, never an error,
// and what was read is written as what is read as the same.
func FuzzTime(f *testing.F) {
	for _, s := range []string{"2026-11-20T12:00:00Z", "2026-11-20", "1795176000", "1e300", "-1", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", ""} {
		f.Add(s)
	}
	text := program(f, "{}", "  - id: r\n    patch: {desired: {leaf: '${ time(reported.t) ?? \"none\" }'}}\n", nil)
	f.Fuzz(func(t *testing.T, s string) {
		values := []string{string(twin.Encode(s))}
		if n, err := strconv.ParseFloat(s, 64); err == nil && n == n && n-n == 0 {
			values = append(values, fmt.Sprintf("%g", n))
		}
		for _, value := range values {
			tw, err := twin.Parse([]byte(`{"deviceId":"d","properties":{"reported":{"t":` + value + `}}}`))
			if err != nil {
				continue // not UTF-8
			}
			v := text.Eval(context.Background(), tw, noon)[0]
			if v.Err != nil {
				t.Fatalf("%s: %v", value, v.Err)
			}
			got, _ := twin.PatchOf(v.Leaves).Desired["leaf"].(string)
			if got == "none" {
				continue
			}
			if at, err := time.Parse(time.RFC3339Nano, got); err != nil || at.Format(time.RFC3339Nano) != got {
				t.Errorf("%s was read as %q: %v", value, got, err)
			}
		}
	})
}

// TestParentAndEdge: tests of rules can say where a device stands.
func TestParentAndEdge(t *testing.T) {
	p := program(t, "{}", `  - id: r
    when: parent startsWith "gw-" or edge
    patch: {tags: {below: "${ parent ?? 'nobody' }"}}
    tests:
      - {name: a leaf, twin: {parent: gw-a-1}, expect: {tags: {below: gw-a-1}}}
      - {name: a gateway, twin: {edge: true}, expect: {tags: {below: nobody}}}
      - {name: alone, twin: {edge: false}, expect: none}
`, nil)
	for _, r := range p.Test(context.Background(), noon) {
		if r.Problem != "" {
			t.Errorf("%s: %s", r.Case.Name, r.Problem)
		}
	}
}
