package rules_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/rules"
)

var (
	one = "sha256:" + strings.Repeat("1", 64)
	two = "sha256:" + strings.Repeat("2", 64)
)

func TestLock(t *testing.T) {
	lock := func(source, digest string) string {
		return string(rules.Lock{"judge": {Source: source, Digest: digest, Manifest: two}}.Format())
	}
	tests := []struct {
		name, plugin, lock string
		digest             string // of the plugin, when all is well
		want               string // a part of the mistake
	}{
		{"the pack says", `{source: j.wasm, digest: "` + one + `"}`, "", one, ""},
		{"the lock says", `{source: j.wasm}`, lock("j.wasm", one), one, ""},
		{"both say the same", `{source: ./j.wasm, digest: "` + one + `"}`, lock("j.wasm", one), one, ""},
		{"nobody says", `{source: j.wasm}`, "", "", `pack.yaml:5:3: plugin "judge" has no digest here, and twinrules.lock does not name it`},
		{"the lock is about others", `{source: j.wasm}`, string(rules.Lock{}.Format()), "", "does not name it"},
		{"they differ", `{source: j.wasm, digest: "` + two + `"}`, lock("j.wasm", one), "", `pack.yaml:5:35: plugin "judge" has another digest`},
		{"another source", `{source: k.wasm}`, lock("j.wasm", one), "", `is k.wasm here and j.wasm in twinrules.lock`},
		{"no JSON", `{source: j.wasm}`, "<<<<<<< HEAD", "", "twinrules.lock:1:1: "},
		{"another file", `{source: j.wasm}`, `{"apiVersion":"twinrules/v1","kind":"RulePack","plugins":{}}`, "", "no PluginLock"},
		{"more than is known", `{source: j.wasm}`, `{"apiVersion":"twinrules/v1","kind":"PluginLock","plugins":{},"signer":"x"}`, "", "other members"},
		{"a short digest", `{source: j.wasm}`, `{"apiVersion":"twinrules/v1","kind":"PluginLock","plugins":{"judge":{"source":"j.wasm","digest":"sha256:12"}}}`, "", "plugin judge: digest"},
		{"without a source", `{source: j.wasm}`, `{"apiVersion":"twinrules/v1","kind":"PluginLock","plugins":{"judge":{"digest":"` + one + `"}}}`, "", "lacks source"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pack, err := rules.Load(lockedPack(tt.plugin, tt.lock))
			if tt.want == "" && (err != nil || pack.Plugins[0].Digest != tt.digest) {
				t.Errorf("got %v, %v, want the digest %s", pack.Plugins[0], err, tt.digest)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want something with %q", err, tt.want)
			}
		})
	}
}

func lockedPack(plugin, lock string) fstest.MapFS {
	files := fstest.MapFS{"pack.yaml": {Data: []byte("apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: p}\nplugins:\n  judge: " + plugin + "\nrules: []\n")}}
	if lock != "" {
		files[rules.LockFile] = &fstest.MapFile{Data: []byte(lock)}
	}
	return files
}

// TestLockIsAPartOfThePack: with another lock it is another pack.
func TestLockIsAPartOfThePack(t *testing.T) {
	digest := func(of string) string {
		pack, err := rules.Load(lockedPack("{source: j.wasm}", string(rules.Lock{"judge": {Source: "j.wasm", Digest: of}}.Format())))
		if err != nil {
			t.Fatal(err)
		}
		return pack.Digest
	}
	if digest(one) == digest(two) {
		t.Error("two locks, one digest")
	}
}

// FuzzParseLock: a lock that is read is written and read as itself.
func FuzzParseLock(f *testing.F) {
	f.Add(rules.Lock{}.Format())
	f.Add(rules.Lock{"a": {"x.wasm", one, two}, "b\"\u2028": {"y\\.wasm", two, ""}}.Format())
	f.Fuzz(func(t *testing.T, data []byte) {
		lock, err := rules.ParseLock(data)
		if err != nil {
			return
		}
		again, err := rules.ParseLock(lock.Format())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(lock, again); diff != "" {
			t.Errorf("read again (-first +second):\n%s", diff)
		}
	})
}
