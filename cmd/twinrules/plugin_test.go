package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/conform"
	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
)

// pluginPack writes a pack with one rule that uses the module, and a fleet.
func pluginPack(t *testing.T, module []byte) string {
	t.Helper()
	dir := t.TempDir()
	pack := fmt.Sprintf(`apiVersion: twinrules/v1
kind: RulePack
metadata: {name: p}
limits: {maxPercent: 100}
plugins:
  judge: {source: judge.wasm, digest: "sha256:%x"}
rules:
  - id: judged
    plugin: {use: judge}
    when: plugin.score > 0.5
    patch: {tags: {score: "${ plugin.score }"}}
  - {id: plain, limits: {maxPercent: 100}, patch: {tags: {plain: true}}}
`, sha256.Sum256(module))
	fleet := `{"id":"d1","twinETag":"AAAAAAAAAAE=","status":"enabled"}` + "\n" + `{"id":"d2","twinETag":"AAAAAAAAAAE=","status":"enabled"}` + "\n"
	for name, data := range map[string][]byte{"pack.yaml": []byte(pack), "judge.wasm": module, "fleet.txt": []byte(fleet)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestHostilePlugins runs plans with plugins that misbehave: each is one
// classified error, the other rule's changes are planned, the process lives.
func TestHostilePlugins(t *testing.T) {
	spent := regexp.MustCompile(`(?m)^ +after (\d+ to )?\d+ units of fuel$`)
	loop := []byte{0x03, 0x40, 0x0c, 0x00, 0x0b, 0x00} // loop br 0 end unreachable
	for name, c := range map[string]struct {
		module []byte
		want   string
	}{
		"loops":           {wasmtest.Plugin(loop, nil), "plugin.eval.fuel"},
		"traps":           {wasmtest.Plugin([]byte{0x00}, nil), "plugin.eval.trap"},
		"answers garbage": {wasmtest.Answering(`{"match":maybe}`, nil), "plugin.eval.output_invalid"},
		"points anywhere": {wasmtest.Plugin(wasmtest.Const64(-1), nil), "plugin.eval."},
		"says an error":   {wasmtest.Answering(`{"error":{"code":"cold","message":"too cold"}}`, nil), "too cold"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := pluginPack(t, c.module)
			out := mustRun(t, command(t, dir, nil, "plan", ".", "--snapshot", "fleet.txt"), exitPartial)
			if bug := c.want != "too cold"; strings.Contains(out, "units of fuel; with --dump-failures DIR") != bug || strings.Count(out, "--dump-failures") > 1 {
				t.Errorf("how to make the call again is said otherwise than once, of bugs: %s", out)
			}
			if !strings.Contains(out, c.want) || !spent.MatchString(out) || !strings.Contains(out, "rule judged on 2 twins") || !strings.Contains(out, "2 twins to write") {
				t.Errorf("got %s", out)
			}
		})
	}
}

func TestPluginsThatAreRefused(t *testing.T) {
	greedy := wasmtest.Plugin(wasmtest.Const64(0), func(m *wasmtest.Module) { m.Memory = 65536 })
	for name, c := range map[string]struct {
		module []byte
		want   string
	}{
		"asks for 4 GiB": {greedy, "plugin.load.limit"},
		"is no module":   {[]byte("#!/bin/sh"), "plugin.load.format"},
		"has no exports": {(&wasmtest.Module{}).Bytes(), "plugin.load.abi"},
	} {
		t.Run(name, func(t *testing.T) {
			out := mustRun(t, command(t, pluginPack(t, c.module), nil, "check", "."), exitFailed)
			if !strings.Contains(out, c.want) || !strings.Contains(out, "pack.yaml:9:13: ") {
				t.Errorf("got %s", out)
			}
		})
	}
	dir := pluginPack(t, wasmtest.Plugin(wasmtest.Const64(0), nil))
	if err := os.WriteFile(filepath.Join(dir, "judge.wasm"), wasmtest.Answering(`{"match":true}`, nil), 0o644); err != nil {
		t.Fatal(err)
	}
	if out := mustRun(t, command(t, dir, nil, "check", "."), exitFailed); !strings.Contains(out, "is not the file that the pack names") {
		t.Errorf("got %s", out)
	}
}

func TestPluginFactsReachThePlan(t *testing.T) {
	dir := pluginPack(t, wasmtest.Answering(`{"match":true,"facts":{"score":0.75}}`, nil))
	out := mustRun(t, command(t, dir, nil, "plan", ".", "--snapshot", "fleet.txt", "-o", "json"), exitGuard)
	if !strings.Contains(out, `"value": 0.75`) {
		t.Errorf("got %s", out)
	}
	out = mustRun(t, command(t, dir, nil, "plugin", "inspect", "judge.wasm"), 0)
	if !strings.Contains(out, "abi             twinrules/1") {
		t.Errorf("got %s", out)
	}
	if err := os.WriteFile(filepath.Join(dir, "twin.json"), []byte(`{"deviceId":"d"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	out = mustRun(t, command(t, dir, nil, "plugin", "run", "judge.wasm", "--twin", "twin.json"), 0)
	if !strings.Contains(out, `"facts":{"score":0.75}`) || !strings.Contains(out, `"fuel":`) {
		t.Errorf("got %s", out)
	}
}

// TestPluginsPage holds the tables of docs/plugins.md against the program, as
// TestPages does with others.
func TestPluginsPage(t *testing.T) {
	holdTables(t, "../../docs/plugins.md", map[string]string{
		"checks": markdownTable("check | it is right when", conform.Checks, func(c *conform.Check) (string, string) { return c.Name, c.Doc }),
		"codes":  markdownTable("code | is", plugins.Codes, func(c plugins.CodeDoc) (string, string) { return string(c.Code), c.Doc }),
	})
}
