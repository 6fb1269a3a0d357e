package rules

import (
	"io/fs"
	"path"
	"strings"
)

// RegistryScheme is how the source of a plugin starts that is in a registry.
const RegistryScheme = "oci://"

// A Verify lists the public keys by which a plugin's module must be signed: by one
// of each list that is not empty. What a key is, package rules does not know.
type Verify struct {
	Minisign []string
	Cosign   []string
}

// InRegistry reports whether the plugin is no file of the pack.
func (p *PluginSource) InRegistry() bool { return strings.HasPrefix(p.Source, RegistryScheme) }

func readPluginSource(s setting) string {
	text := s.text()
	if strings.HasPrefix(text, RegistryScheme) {
		return text
	}
	text = path.Clean(text)
	if strings.Contains(s.text(), "://") {
		s.report(BadPlugin, "put the module into the pack, or into a registry", "a source is a path in the pack or starts with %s", RegistryScheme)
	} else if s.exists() && !fs.ValidPath(text) {
		s.report(BadPlugin, "", "%q is not a path inside the pack", text)
	}
	return text
}

func readVerify(s setting, p *PluginSource) (v Verify) {
	if !s.exists() {
		return v
	}
	m := s.shaped(verifyShape)
	v.Minisign, v.Cosign = readKeys(m.get("minisign")), readKeys(m.get("cosign"))
	m.done()
	switch {
	case len(v.Minisign)+len(v.Cosign) == 0:
		s.report(BadPlugin, "name keys under minisign or cosign, or leave it out", "nobody has to sign the plugin")
	case len(v.Cosign) > 0 && !p.InRegistry():
		m.get("cosign").report(BadPlugin, "sign the file with minisign", "signatures of cosign are kept in registries, and %s is a file", p.Source)
	}
	return v
}

func readKeys(s setting) (keys []string) {
	for _, element := range s.list() {
		keys = append(keys, element.text())
	}
	return keys
}
