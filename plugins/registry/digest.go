package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/twinrules/twinrules/plugins"
)

// digestOf returns the digest of data. Registries know other algorithms; nobody
// uses them.
func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func isDigest(s string) bool {
	digits, ok := strings.CutPrefix(s, "sha256:")
	_, err := hex.DecodeString(digits)
	return ok && err == nil && len(digits) == 2*sha256.Size && digits == strings.ToLower(digits)
}

// check refuses a descriptor before anything is asked of the registry because of
// it. What it says of digests matters: packages that read them panic on others.
func check(what string, d ocispec.Descriptor, most int64) error {
	switch {
	case !isDigest(string(d.Digest)):
		return &plugins.Error{Code: plugins.LoadFormat, Err: fmt.Errorf("the digest of its %s is %q, not one of sha256", what, d.Digest)}
	case d.Size < 0 || d.Size > most:
		return &plugins.Error{Code: plugins.LoadLimit, Err: fmt.Errorf("its %s has %d bytes, at most %d are taken", what, d.Size, most)}
	}
	return nil
}

// read reads what d describes, no byte more, and compares it.
func read(what string, r io.Reader, d ocispec.Descriptor) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, d.Size+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read its %s: %w", what, err)
	case int64(len(data)) != d.Size:
		return nil, &plugins.Error{Code: plugins.LoadDigest, Err: fmt.Errorf("its %s has not the %d bytes that the registry said", what, d.Size)}
	case digestOf(data) != string(d.Digest):
		return nil, &plugins.Error{Code: plugins.LoadDigest, Err: fmt.Errorf("its %s has the digest %s and not %s", what, digestOf(data), d.Digest)}
	}
	return data, nil
}
