package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/twinrules/twinrules/hub/blob"
	"github.com/twinrules/twinrules/hub/emulator"
)

// storage opens containers of a real blob service for an emulated hub, which
// goes there as one of its managed identities, or with the signature in the URI.
// Roots may vouch for the service; nil means the system's.
func storage(roots *x509.CertPool) func(context.Context, *emulator.ContainerAddress) (emulator.Container, error) {
	return func(_ context.Context, at *emulator.ContainerAddress) (emulator.Container, error) {
		c, err := blob.NewContainer(at.URI, blob.Credential(at.Token), &blob.Options{RootCAs: roots})
		if err != nil {
			return nil, err
		}
		return stored{c}, nil
	}
}

// stored is a container of a blob service.
type stored struct{ container *blob.Container }

var _ emulator.CheckedContainer = stored{}

func (s stored) ReadBlob(ctx context.Context, name string) (io.ReadCloser, error) {
	r, err := s.container.Open(ctx, name)
	if errors.Is(err, blob.ErrNotFound) {
		return nil, fmt.Errorf("%w: %w", err, fs.ErrNotExist)
	}
	return r, err
}

// WriteBlob collects what r has in a file first, because it is sent again when
// the first try fails.
func (s stored) WriteBlob(ctx context.Context, name string, r io.Reader) error {
	f, err := os.CreateTemp("", "twinrules-blob-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := io.Copy(f, r); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return s.container.Put(ctx, name, f)
}

// probe is a name that no job uses.
const probe = "twinrules-emulator-probe"

// Check writes a blob and deletes it, or looks for one that is not there.
func (s stored) Check(ctx context.Context, write bool) error {
	if !write {
		_, err := s.container.Properties(ctx, probe)
		if errors.Is(err, blob.ErrNotFound) {
			return nil
		}
		return err
	}
	if err := s.WriteBlob(ctx, probe, strings.NewReader("")); err != nil {
		return err
	}
	return s.container.Delete(ctx, probe)
}
