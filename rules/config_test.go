package rules_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/rules"
)

var configKeys = []string{"hub.host", "hub.units", "hub.auth.credential", "state"}

const configHead = "apiVersion: twinrules/v1\nkind: Config\n"

func TestReadConfig(t *testing.T) {
	text := configHead + `hub:
  host: contoso.azure-devices.net
  units: 2
  auth: {credential: [workload-identity, azure-cli]}
profiles:
  apply: {hub: {auth: {credential: client-secret}}}
`
	c, err := rules.ReadConfig("twinrules.yaml", []byte(text), configKeys)
	if err != nil {
		t.Fatal(err)
	}
	show := func(values []*rules.ConfigValue) (lines []string) {
		for _, v := range values {
			lines = append(lines, fmt.Sprint(v.Pos(), " ", v.Key, " ", v.Texts))
		}
		return lines
	}
	got := strings.Join(append(show(c.Values), show(c.Profiles["apply"])...), "\n")
	want := `twinrules.yaml:4:9 hub.host [contoso.azure-devices.net]
twinrules.yaml:5:10 hub.units [2]
twinrules.yaml:6:22 hub.auth.credential [workload-identity azure-cli]
twinrules.yaml:8:36 hub.auth.credential [client-secret]`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	err = c.Values[0].Refuse("no such hub", "look again")
	if want := "twinrules.yaml:4:9: hub.host: no such hub [wrong-value]"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestReadConfigRefuses(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"not YAML", "hub: [", "c.yaml:1:1: did not find expected node content [bad-yaml]"},
		{"no head", "hub: {}\n", "c.yaml:1:1: the key \"apiVersion\" is missing [missing-key]\nc.yaml:1:1: the key \"kind\" is missing [missing-key]"},
		{"a pack", "apiVersion: twinrules/v1\nkind: RulePack\n", `c.yaml:2:7: "RulePack" is none of Config [wrong-value]`},
		{"unknown keys", configHead + "hub: {hots: x, auth: {}}\nx: 1\n", "c.yaml:3:7: unknown key \"hots\" [unknown-key]\nc.yaml:4:1: unknown key \"x\" [unknown-key]"},
		{"unknown in a profile", configHead + "profiles: {a: {kind: Config}}\n", `c.yaml:3:16: unknown key "kind" [unknown-key]`},
		{"bad profile", configHead + "profiles: {A_B: {}}\n", "is not a name"},
		{"twice", configHead + "state: a\nstate: b\n", `the key "state" stands here a second time`},
		{"nothing", configHead + "state:\n", "no JSON value"},
		{"null", configHead + "state: null\n", "c.yaml:3:8: nothing where a value must stand [wrong-type]"},
		{"octal", configHead + "hub: {units: 010}\n", "010 is no JSON value"},
		{"mapping", configHead + "state: {a: b}\n", "a mapping where a string must stand"},
		{"nested list", configHead + "state: [[a]]\n", "a list where a string must stand"},
		{"scalar", configHead + "hub: x\n", "a single value where a mapping must stand"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := rules.ReadConfig("c.yaml", []byte(test.text), configKeys)
			var list rules.Diagnostics
			if !errors.As(err, &list) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got\n%v\nwant\n%s", err, test.want)
			}
		})
	}
}

// FuzzReadConfig reads anything, and either says what is wrong or has values at
// places of the file.
func FuzzReadConfig(f *testing.F) {
	f.Add([]byte(configHead + "hub: {host: h, auth: {credential: [a, b]}}\nprofiles: {p: {state: x}}\n"))
	f.Add([]byte(configHead + "profiles:\n- x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := rules.ReadConfig("c.yaml", data, configKeys)
		if err != nil {
			return
		}
		for _, v := range c.Values {
			if v.Pos().Line < 1 || v.Pos().Col < 1 {
				t.Errorf("%s stands at %s", v.Key, v.Pos())
			}
		}
	})
}
