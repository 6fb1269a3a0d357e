package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/rules"
)

// maxModule is the largest plugin that is read, in bytes.
const maxModule = 16 << 20

// readModule reads a plugin's file.
func readModule(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return wholeModule(f, path)
}

// readModuleIn reads it out of a pack.
func readModuleIn(fsys fs.FS, path string) ([]byte, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	return wholeModule(f, path)
}

func wholeModule(f io.ReadCloser, path string) ([]byte, error) {
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxModule+1))
	if err == nil && len(data) > maxModule {
		err = fmt.Errorf("%s has more than %d bytes", path, maxModule)
	}
	return data, err
}

// readPlugin reads a plugin's module out of the pack, or what is kept of a
// registry, and checks that it is the one that the pack was reviewed with and that
// those have signed it whom the pack names.
func readPlugin(s *store, pack *rules.Pack, name string) ([]byte, error) {
	for _, p := range pack.Plugins {
		if p.Name != name {
			continue
		}
		data, signed, err := readSource(s, pack, p, p.Digest)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &plugins.Error{Code: plugins.LoadFetch, Err: err, Hint: "twinrules plugin build makes a module of its source, and twinrules plugin lock notes which"}
		}
		if err != nil {
			return nil, err
		}
		if is := digestOf(data); p.Digest != is {
			return nil, &plugins.Error{Code: plugins.LoadDigest, Err: fmt.Errorf("%s is not the file that the pack names: its digest is %s", p.Source, is),
				Hint: "where the change is meant, twinrules plugin lock notes it; otherwise get the file that has the digest"}
		}
		return data, trust(p.Name, p.Verify, data, signed)
	}
	return nil, fmt.Errorf("the pack declares no plugin %q", name)
}

// readSource returns the module that a plugin's source is, with what proves who
// signed it. One out of a registry is found by its digest.
func readSource(s *store, pack *rules.Pack, p *rules.PluginSource, digest string) ([]byte, proof, error) {
	if p.InRegistry() {
		data, err := s.module(digest)
		if errors.Is(err, fs.ErrNotExist) {
			err = missing(p)
		}
		return data, s.proof(digest), err
	}
	data, err := readModuleIn(pack.FS, p.Source)
	if err != nil {
		return nil, proof{}, err
	}
	text, err := signatureBeside(pack.FS, p.Source)
	return data, proof{Minisign: text}, err
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// loadPlugins loads the pack at path for the plugins that it declares, at least one.
// Mistakes elsewhere stand in nobody's way.
func loadPlugins(path string) (*rules.Pack, error) {
	fsys, err := packFS(path)
	if err != nil {
		return nil, fmt.Errorf("read pack: %w", err)
	}
	pack, err := rules.Load(fsys)
	if pack == nil {
		return nil, err
	}
	if len(pack.Plugins) == 0 { // either it has none, or what is wrong hides them
		return nil, errors.Join(inFolder(err, path), fmt.Errorf("%s declares no plugins", path))
	}
	return pack, nil
}
