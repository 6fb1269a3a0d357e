package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/plugins/registry"
	"github.com/twinrules/twinrules/plugins/sign"
	"github.com/twinrules/twinrules/rules"
)

// TestTrust: every way from a key to a module has to hold.
func TestTrust(t *testing.T) {
	module, other := []byte("the module"), []byte("another module")
	image := func(layers ...[]byte) []byte {
		var list []string
		for _, l := range layers {
			list = append(list, fmt.Sprintf(`{"digest":%q}`, digestOf(l)))
		}
		return []byte(`{"layers":[` + strings.Join(list, ",") + `]}`)
	}
	minisign := func(seed byte) (*sign.MinisignSecret, string) {
		s, err := sign.NewMinisignSecret(rand.NewChaCha8([32]byte{seed}))
		if err != nil {
			t.Fatal(err)
		}
		return s, s.Public().String()
	}
	cosign := func() (*sign.CosignSecret, string) {
		secret, public := cosignPair(t)
		s, err := sign.ParseCosignSecret(secret, nil)
		if err != nil {
			t.Fatal(err)
		}
		return s, public
	}
	ours, ourKey := minisign(1)
	_, theirKey := minisign(2)
	first, firstKey := cosign()
	second, secondKey := cosign()
	minisig := func(data []byte) string {
		text, err := ours.Sign(data, "")
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	signed := func(manifest []byte, by ...*sign.CosignSecret) (p proof) {
		p.Manifest = manifest
		for _, s := range by {
			text, signature, err := s.Sign("x", digestOf(manifest))
			if err != nil {
				t.Fatal(err)
			}
			p.Cosign = append(p.Cosign, registry.Signature{Payload: text, Signature: signature})
		}
		return p
	}
	moved := signed(image(other), first)
	moved.Manifest = image(module)
	tests := []struct {
		name  string
		keys  rules.Verify
		proof proof
		want  string
	}{
		{"nobody is wanted", rules.Verify{}, proof{}, ""},
		{"minisign", rules.Verify{Minisign: []string{ourKey}}, proof{Minisign: minisig(module)}, ""},
		{"one of two", rules.Verify{Minisign: []string{theirKey, ourKey}}, proof{Minisign: minisig(module)}, ""},
		{"somebody else", rules.Verify{Minisign: []string{theirKey}}, proof{Minisign: minisig(module)}, "and not of"},
		{"something else", rules.Verify{Minisign: []string{ourKey}}, proof{Minisign: minisig(other)}, "of something else"},
		{"nothing", rules.Verify{Minisign: []string{ourKey}}, signed(image(module), first), "no signature of minisign"},
		{"a key that is none", rules.Verify{Minisign: []string{""}}, proof{Minisign: minisig(module)}, "verify.minisign"},
		{"cosign", rules.Verify{Cosign: []string{firstKey}}, signed(image(module), first), ""},
		{"the second signature", rules.Verify{Cosign: []string{secondKey}}, signed(image(module), first, second), ""},
		{"another key", rules.Verify{Cosign: []string{secondKey}}, signed(image(module), first), "not of this key"},
		{"an image of something else", rules.Verify{Cosign: []string{firstKey}}, signed(image(other), first), "does not hold the module"},
		{"an image of both", rules.Verify{Cosign: []string{firstKey}}, signed(image(other, module), first), "does not hold the module"},
		{"a signature of another image", rules.Verify{Cosign: []string{firstKey}}, moved, "and not of"},
		{"no cosign", rules.Verify{Cosign: []string{firstKey}}, proof{Manifest: image(module), Minisign: minisig(module)}, "no signature of cosign"},
		{"a PEM that is none", rules.Verify{Cosign: []string{"x"}}, signed(image(module), first), "verify.cosign"},
		{"one of the two tools", rules.Verify{Minisign: []string{ourKey}, Cosign: []string{firstKey}}, signed(image(module), first), "no signature of minisign"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := trust("judge", tt.keys, bytes.Clone(module), tt.proof)
			if tt.want == "" && err != nil {
				t.Error(err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasSuffix(err.Error(), "[plugin.load.signature]")) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
