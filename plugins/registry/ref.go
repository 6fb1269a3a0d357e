package registry

import (
	"fmt"
	"net"
	"strings"

	"oras.land/oras-go/v2/registry"
)

// Scheme is how a reference starts where files are meant, too.
const Scheme = "oci://"

// A Ref names a module in a registry, by a tag, by the digest of its manifest, or
// by both, of which the digest counts.
type Ref struct {
	Host       string // with its port, if any
	Repository string
	Tag        string
	Digest     string // "sha256:…" of the manifest
}

// ParseRef reads host/repository:tag@digest, where tag or digest may be missing.
// [Scheme] may stand before it.
func ParseRef(text string) (Ref, error) {
	name, digest, _ := strings.Cut(strings.TrimPrefix(text, Scheme), "@")
	named, err := registry.ParseReference(name)
	if err != nil {
		return Ref{}, fmt.Errorf("%q is not like %shost/repository:tag: %w", text, Scheme, err)
	}
	r := Ref{Host: named.Registry, Repository: named.Repository, Tag: named.Reference, Digest: digest}
	switch {
	case strings.Contains(text, "@") && !isDigest(digest):
		return Ref{}, fmt.Errorf("%q: %q is not sha256: and 64 hexadecimal digits", text, digest)
	case r.Tag == "" && r.Digest == "":
		return Ref{}, fmt.Errorf("%q has neither tag nor digest", text)
	}
	return r, nil
}

// String returns the reference with its scheme.
func (r Ref) String() string {
	text := Scheme + r.Host + "/" + r.Repository
	if r.Tag != "" {
		text += ":" + r.Tag
	}
	if r.Digest != "" {
		text += "@" + r.Digest
	}
	return text
}

// loopback reports whether the registry is on this machine, by its name alone.
func (r Ref) loopback() bool { return isLoopback(r.Host) }

func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
