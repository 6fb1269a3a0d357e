package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
)

// TestCompiledPluginsAreKept: beside the modules that were pulled, elsewhere when
// somebody says so, and not where jobs may be given each other's caches.
func TestCompiledPluginsAreKept(t *testing.T) {
	w := newWorkshop(t)
	w.write("pack.yaml", strings.Replace(registryPack, `{source: "oci://%s/fleet/judge:1.0.0"%s}`, "{source: judge.wasm}", 1))
	w.run(0, "", "plugin", "lock", ".")
	kept := func(dir string) int {
		files, err := filepath.Glob(filepath.Join(w.dir, dir, "wazero-*", "*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	usual := filepath.Join("cache", "twinrules", "compiled")
	if err := os.RemoveAll(filepath.Join(w.dir, usual)); err != nil {
		t.Fatal(err)
	}
	check := func(ci string, args ...string) string {
		env := map[string]string{"CI": ci, "XDG_CACHE_HOME": filepath.Join(w.dir, "cache")}
		return mustRun(t, command(t, w.dir, env, append([]string{"check", "."}, args...)...), 0)
	}
	if check("true"); kept(usual) != 0 {
		t.Error("code is kept in CI")
	}
	if check("", "--plugin-cache", "off"); kept(usual) != 0 {
		t.Error("code is kept where nobody wants it")
	}
	if check(""); kept(usual) != 1 {
		t.Error("no code is kept")
	}
	if check("true", "--plugin-cache", filepath.Join(w.dir, "mine")); kept("mine") != 1 {
		t.Error("no code is kept where it was asked for")
	}
	if err := os.Chmod(filepath.Join(w.dir, "mine"), 0o777); err != nil {
		t.Fatal(err)
	}
	if out := check("", "--plugin-cache", filepath.Join(w.dir, "mine")); !strings.Contains(out, "compiled plugins are not kept: ") || !strings.Contains(out, "chmod 700") {
		t.Errorf("got %s", out)
	}
}

// TestRunShowsAFailureOnce: with what it cost and where it was. What plugin run was
// given is at hand, and need not be written down to be tried again.
func TestRunShowsAFailureOnce(t *testing.T) {
	w := newWorkshop(t)
	w.write("judge.wasm", string(wasmtest.Plugin([]byte{0x00}, nil)))
	w.write("twin.json", `{"deviceId":"pump-7"}`)
	if out := w.run(1, "plugin.eval.trap", "plugin", "run", "judge.wasm", "--twin", "twin.json"); strings.Count(out, "[plugin.eval.trap]") != 1 || !strings.Contains(out, "fuel            1\n") || strings.Contains(out, dumpFlag) {
		t.Errorf("got %s", out)
	}
}
