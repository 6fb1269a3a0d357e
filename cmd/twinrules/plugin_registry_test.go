package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/abi"
	"github.com/twinrules/twinrules/plugins/registry/registrytest"
	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
)

// registryPack is a pack whose plugin is in a registry.
const registryPack = `apiVersion: twinrules/v1
kind: RulePack
metadata: {name: p}
plugins:
  judge: {source: "oci://%s/fleet/judge:1.0.0"%s}
rules:
  - {id: judged, plugin: {use: judge}, patch: {tags: {judged: true}}}
`

// A workshop is a folder with a plugin and a home of its own.
type workshop struct {
	t   *testing.T
	dir string
}

func (w *workshop) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// run runs the command and returns what it said, all of which must be there.
func (w *workshop) run(code int, want string, args ...string) string {
	w.t.Helper()
	out := mustRun(w.t, command(w.t, w.dir, map[string]string{"TWINRULES_SIGN_PASSWORD": "", "XDG_CACHE_HOME": filepath.Join(w.dir, "cache")}, args...), code)
	if !strings.Contains(out, want) {
		w.t.Errorf("%q: got %s, want %q", args, out, want)
	}
	return out
}

func newWorkshop(t *testing.T) *workshop {
	t.Helper()
	manifest, err := json.Marshal(abi.Manifest{APIVersion: abi.ManifestVersion, Kind: abi.ManifestKind, Name: "judge", ABI: abi.Version, Reads: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	module, err := plugins.Embed(wasmtest.Answering(`{"match":true}`, nil), manifest)
	if err != nil {
		t.Fatal(err)
	}
	w := &workshop{t, t.TempDir()}
	w.write("judge.wasm", string(module))
	return w
}

// TestPluginInRegistry goes all of the way: keys, signatures, push, pull, lock,
// check; and what each of them refuses.
func TestPluginInRegistry(t *testing.T) {
	host := registrytest.Start(t)
	w := newWorkshop(t)
	ref := "oci://" + host + "/fleet/judge:1.0.0"

	verify := w.run(0, "verify: {minisign: [RW", "plugin", "sign", "--new-key", "fleet.key", "--no-password")
	w.run(exitFailed, "exists", "plugin", "sign", "--new-key", "fleet.key", "--no-password")
	if info, err := os.Stat(filepath.Join(w.dir, "fleet.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", info.Mode(), err)
	}
	w.run(exitFailed, "there is no signature of minisign [plugin.load.signature]", "plugin", "verify", "judge.wasm", "--key", "fleet.key.pub")
	w.run(0, "judge.wasm.minisig", "plugin", "sign", "judge.wasm", "--key", "fleet.key")
	w.run(0, "plugin verify judge.wasm --key KEY", "plugin", "inspect", "judge.wasm")
	w.run(0, "sha256:", "plugin", "verify", "judge.wasm", "--key", "fleet.key.pub")

	w.write("pack.yaml", fmt.Sprintf(registryPack, host, ""))
	w.run(exitFailed, "no such module", "plugin", "pull", ".")
	w.run(0, `judge: {source: "`+ref+`", digest: "sha256:`, "plugin", "push", "judge.wasm", ref)
	w.run(exitFailed, "not a usable WebAssembly module", "plugin", "push", "judge.wasm.minisig", ref)

	w.run(exitFailed, "has no digest here", "check", ".")
	w.run(exitFailed, "is not on this machine [plugin.load.fetch]", "plugin", "lock", ".")
	w.run(0, "+ judge  sha256:", "plugin", "pull", ".")
	w.run(0, "+ judge  oci://", "plugin", "lock", ".")
	w.run(0, "", "check", ".")
	w.run(0, "  judge  sha256:", "plugin", "pull", ".") // with nothing to do

	secret, public := cosignPair(t)
	w.write("cosign.key", secret)
	w.write("cosign.pub", public)
	both := strings.TrimSuffix(strings.TrimSpace(verify), "}") + ", cosign: [" + mustJSON(t, public) + "]}"
	w.write("pack.yaml", fmt.Sprintf(registryPack, host, ", "+both))
	w.run(exitFailed, "there is no signature of cosign [plugin.load.signature]", "check", ".")
	w.run(exitUsage, "is a key of minisign", "plugin", "sign", ref, "--key", "fleet.key")
	w.run(0, "/fleet/judge@sha256:", "plugin", "sign", ref, "--key", "cosign.key")
	w.run(0, ref, "plugin", "verify", ref, "--key", "cosign.pub", "--key", "fleet.key.pub")
	w.run(0, "+ judge", "plugin", "pull", ".")
	w.run(0, "", "check", ".")
	w.run(exitGuard, "491 twins to write", "plan", ".", "--demo")

	w.run(0, ref+"  sha256:", "plugin", "pull", ref, "--out", "copy.wasm")
	w.run(0, "copy.wasm", "plugin", "verify", "copy.wasm", "--key", "fleet.key.pub")
	w.forge(host, ref)
}

// forge does what somebody would who can write to the registry or to this
// machine's store.
func (w *workshop) forge(host, ref string) {
	w.t.Helper()
	module, err := os.ReadFile(filepath.Join(w.dir, "judge.wasm"))
	if err != nil {
		w.t.Fatal(err)
	}
	kept := fmt.Sprintf("cache/twinrules/cas/sha256-%x.wasm", sha256.Sum256(module))
	w.write(kept, "something else")
	w.run(exitFailed, "is not the file that the pack names", "check", ".")
	w.write(kept, string(module))
	w.write(strings.Replace(kept, ".wasm", ".json", 1), "{}")
	w.run(exitFailed, "plugin.load.signature", "check", ".")

	w.write("judge.wasm", string(wasmtest.Answering(`{"match":false}`, nil)))
	w.run(0, "", "plugin", "push", "judge.wasm", ref) // under the same name, with the signature of the other
	w.run(exitFailed, "is not the module that the pack names", "plugin", "pull", ".")
	w.run(exitFailed, "of something else [plugin.load.signature]", "plugin", "verify", ref, "--key", "fleet.key.pub")
	if err := os.Remove(filepath.Join(w.dir, "twinrules.lock")); err != nil {
		w.t.Fatal(err)
	}
	w.run(exitFailed, "plugin.load.signature", "plugin", "pull", ".")
	w.run(exitFailed, "plugin.load.fetch", "plugin", "pull", strings.Replace(ref, "1.0.0", "2.0.0", 1), "--out", "none.wasm")
	if _, err := os.Stat(filepath.Join(w.dir, "none.wasm")); err == nil {
		w.t.Error("what was not there is a file")
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// cosignPair makes a key as openssl does.
func cosignPair(t *testing.T) (secret, public string) {
	t.Helper()
	run := func(stdin string, args ...string) string {
		cmd := exec.CommandContext(t.Context(), "openssl", args...)
		cmd.Stdin = strings.NewReader(stdin)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("openssl %q: %v", args, err)
		}
		return string(out)
	}
	secret = run("", "ecparam", "-name", "prime256v1", "-genkey", "-noout")
	return secret, run(secret, "pkey", "-pubout")
}

// TestPluginDocs runs what docs/plugins.md shows of registries and signatures.
func TestPluginDocs(t *testing.T) {
	host := registrytest.Start(t)
	w := newWorkshop(t)
	for _, dir := range []string{"battery", "rules"} {
		if err := os.Mkdir(filepath.Join(w.dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(filepath.Join(w.dir, "judge.wasm"), filepath.Join(w.dir, "battery/plugin.wasm")); err != nil {
		t.Fatal(err)
	}
	secret, public := cosignPair(t)
	w.write("cosign.key", secret)
	w.write("cosign.pub", public)
	page, err := os.ReadFile("../../docs/plugins.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "\n## Registries\n")
	text, _, _ = strings.Cut(text, "\n## Plugins of Extism\n")
	ran := 0
	for line := range strings.Lines(strings.ReplaceAll(text, "registry.example", host)) {
		shown, ok := strings.CutPrefix(line, "$ twinrules ")
		if !ok {
			continue
		}
		if ran++; strings.HasPrefix(shown, "plugin pull") {
			key, err := os.ReadFile(filepath.Join(w.dir, "fleet.key.pub"))
			if err != nil {
				t.Fatal(err)
			}
			_, pack, _ := strings.Cut(text, "```yaml\n")
			pack, _, _ = strings.Cut(strings.ReplaceAll(pack, "registry.example", host), "```")
			pack = regexp.MustCompile(`RW[^]]*`).ReplaceAllString(pack, strings.Fields(string(key))[6])
			w.write("rules/pack.yaml", "apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: p}\n"+pack+"rules:\n  - {id: r, plugin: {use: battery}, patch: {tags: {a: 1}}}\n")
		}
		w.run(0, "", strings.Fields(shown)...)
	}
	if ran != 9 {
		t.Errorf("it shows %d commands", ran)
	}
}
