package rules_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/rules"
)

// A source is what is compared of a plugin's.
type source struct {
	Source string
	Verify rules.Verify
}

func TestPluginSources(t *testing.T) {
	digest := `, digest: "` + one + `"}`
	tests := []struct {
		name, plugin string
		want         source
		mistake      string
	}{
		{"a file", `{source: ./a/b.wasm` + digest, source{Source: "a/b.wasm"}, ""},
		{"a registry", `{source: "oci://registry.example/a/b:1"` + digest, source{Source: "oci://registry.example/a/b:1"}, ""},
		{"signed", `{source: "oci://registry.example/a/b:1", verify: {minisign: [RWa, RWb], cosign: [c]}` + digest,
			source{Source: "oci://registry.example/a/b:1", Verify: rules.Verify{Minisign: []string{"RWa", "RWb"}, Cosign: []string{"c"}}}, ""},
		{"the web", `{source: "https://example.com/b.wasm"` + digest, source{}, "is a path in the pack or starts with oci://"},
		{"outside", `{source: ../b.wasm` + digest, source{}, "is not a path inside the pack"},
		{"nobody", `{source: b.wasm, verify: {}` + digest, source{}, "nobody has to sign"},
		{"nobody in a list", `{source: b.wasm, verify: {minisign: []}` + digest, source{}, "nobody has to sign"},
		{"nothing", `{source: b.wasm, verify: ` + digest, source{}, "[wrong-type]"},
		{"a key in place of a list", `{source: b.wasm, verify: {minisign: RWa}` + digest, source{}, "[wrong-type]"},
		{"another tool", `{source: b.wasm, verify: {gpg: [x]}` + digest, source{}, `unknown key "gpg"`},
		{"a file with cosign", `{source: b.wasm, verify: {cosign: [c]}` + digest, source{}, "signatures of cosign are kept in registries"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pack, err := rules.Load(lockedPack(tt.plugin, ""))
			if tt.mistake != "" {
				if err == nil || !strings.Contains(err.Error(), tt.mistake) {
					t.Errorf("got %v, want %q", err, tt.mistake)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := pack.Plugins[0]
			if diff := cmp.Diff(tt.want, source{got.Source, got.Verify}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got.InRegistry() != strings.HasPrefix(tt.want.Source, "oci:") {
				t.Errorf("in a registry: %t", got.InRegistry())
			}
		})
	}
}
