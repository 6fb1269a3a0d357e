package plugins

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins/abi"
	"github.com/twinrules/twinrules/plugins/wasm"
)

// maxManifest bounds the text of a manifest, in bytes.
const maxManifest = 128 << 10

// ParseManifest reads a manifest strictly: unknown and repeated members are
// errors, and so are paths that no twin has.
func ParseManifest(text []byte) (*abi.Manifest, error) {
	if len(text) > maxManifest {
		return nil, fmt.Errorf("read manifest: %d bytes, at most %d are taken", len(text), maxManifest)
	}
	if _, err := twin.DecodeObject(text); err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	m := &abi.Manifest{}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(m); err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	if err := checkManifest(m); err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	return m, nil
}

func checkManifest(m *abi.Manifest) error {
	switch {
	case m.APIVersion != abi.ManifestVersion:
		return fmt.Errorf("apiVersion is %q, this is known: %q", m.APIVersion, abi.ManifestVersion)
	case m.Kind != abi.ManifestKind:
		return fmt.Errorf("kind is %q, not %q", m.Kind, abi.ManifestKind)
	case m.Name == "":
		return errors.New("it has no name")
	case m.Limits != nil && (m.Limits.Fuel < 0 || m.Limits.Memory < 0):
		return errors.New("a limit is negative")
	}
	for _, path := range m.Reads {
		if path == abi.Now {
			continue
		}
		if err := checkPath(path, abi.Roots[:]); err != nil {
			return fmt.Errorf("reads: %w", err)
		}
	}
	for _, path := range m.Writes {
		if err := checkPath(path, []string{"tags", "desired"}); err != nil {
			return fmt.Errorf("writes: %w", err)
		}
	}
	if m.Config != nil {
		_, err := compileSchema(m.Config.Schema)
		return err
	}
	return nil
}

func checkPath(path string, roots []string) error {
	keys := strings.Split(path, ".")
	if !slices.Contains(roots, keys[0]) {
		return fmt.Errorf("the path %q does not start with one of %s", path, strings.Join(roots, ", "))
	}
	if slices.Contains(keys, "") || len(keys) > twin.MaxDepth {
		return fmt.Errorf("the path %q has an empty part or too many", path)
	}
	if len(keys) > 1 && !slices.Contains([]string{"tags", "desired", "reported"}, keys[0]) {
		return fmt.Errorf("the path %q goes into %s, which has no members", path, keys[0])
	}
	return nil
}

// Embed returns module with manifest, a JSON text, in its custom section, in
// place of one it had. Equal inputs give equal bytes.
func Embed(module, manifest []byte) ([]byte, error) {
	if _, err := ParseManifest(manifest); err != nil {
		return nil, err
	}
	doc, err := twin.DecodeObject(manifest)
	if err != nil {
		return nil, fmt.Errorf("embed manifest: %w", err)
	}
	out, err := wasm.AppendCustom(module, abi.Section, twin.Encode(doc))
	if err != nil {
		return nil, fmt.Errorf("embed manifest: %w", err)
	}
	return out, nil
}
