package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/registry"
	"github.com/twinrules/twinrules/rules"
)

// A store keeps modules that came out of registries, by their digests, with what
// proves who signed them. It is not trusted: what is read is compared again.
type store struct{ dir string } // "" where there is no place for it

func (env *environment) store() *store {
	if dir, ok := env.lookup("XDG_CACHE_HOME"); ok && filepath.IsAbs(dir) {
		return &store{filepath.Join(dir, "twinrules")}
	}
	if home, ok := env.lookup("HOME"); ok && home != "" {
		return &store{filepath.Join(home, ".cache", "twinrules")}
	}
	return &store{}
}

// A proof is what came with a module: the manifest of its image, and signatures of
// both.
type proof struct {
	Module   string               `json:"module"`             // the digest
	Manifest []byte               `json:"manifest,omitempty"` // names the module's layer
	Minisign string               `json:"minisign,omitempty"`
	Cosign   []registry.Signature `json:"cosign,omitempty"`
}

func (s *store) path(digest, ending string) string {
	return filepath.Join(s.dir, "cas", strings.Replace(digest, ":", "-", 1)+ending)
}

// pulled is where it is kept what a reference was when it was pulled last.
func (s *store) pulled(ref string) string {
	sum := sha256.Sum256([]byte(ref))
	return filepath.Join(s.dir, "refs", hex.EncodeToString(sum[:])+".json")
}

// keep stores what was pulled as ref.
func (s *store) keep(ref string, p *registry.Pulled) error {
	if s.dir == "" {
		return errors.New("there is no folder to keep modules in: set HOME or XDG_CACHE_HOME, or give --out")
	}
	text, err := json.Marshal(proof{p.Digest, p.Manifest, p.Minisign, p.Cosign})
	if err != nil {
		return err
	}
	for path, data := range map[string][]byte{s.path(p.Digest, ".wasm"): p.Module, s.path(p.Digest, ".json"): text, s.pulled(ref): text} {
		if err := writeWhole(path, data, 0o600); err != nil {
			return fmt.Errorf("keep module: %w", err)
		}
	}
	return nil
}

// wellFormed keeps what packs and files say from being a path to somewhere else.
var wellFormed = regexp.MustCompile(`^sha256:[0-9a-fA-F]{64}$`)

// module returns the module with a digest. Whether it has that is not checked yet.
func (s *store) module(digest string) ([]byte, error) {
	if s.dir == "" || !wellFormed.MatchString(digest) {
		return nil, fs.ErrNotExist
	}
	return readModule(s.path(digest, ".wasm"))
}

// proof returns what came with the module; one that holds nothing where there is
// nothing that can be read.
func (s *store) proof(digest string) proof {
	if s.dir == "" || !wellFormed.MatchString(digest) {
		return proof{}
	}
	return readProof(s.path(digest, ".json"))
}

func readProof(path string) (p proof) {
	data, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(data, &p) != nil {
		return proof{}
	}
	return p
}

// last returns the digest of the module that ref was when it was pulled last, ""
// when it never was.
func (s *store) last(ref string) string {
	if s.dir == "" {
		return ""
	}
	return readProof(s.pulled(ref)).Module
}

// missing says how to get a module that is not in the store.
func missing(p *rules.PluginSource) error {
	return &plugins.Error{Code: plugins.LoadFetch, Plugin: p.Name, Err: fmt.Errorf("%s is not on this machine", p.Source),
		Hint: "twinrules plugin pull with the pack fetches what the pack names; no other command asks a registry"}
}

// writeWhole writes a file in one step, with its folder: a reader finds it whole
// or not at all.
func writeWhole(path string, data []byte, mode fs.FileMode) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".twinrules-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ignoreMissing(os.Remove(f.Name()))) }() // gone once it has been renamed
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(mode), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
