package registry

import (
	"bytes"
	"context"
	"fmt"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/twinrules/twinrules/plugins"
)

// A Pushed says what a module is in a registry.
type Pushed struct {
	Digest   string // of the module
	Manifest string // the digest of the manifest, which stands behind @ in a [Ref]
}

// Push stores a module that would be loaded under ref, which has a tag, with its
// minisign signature unless that is "". What the registry has already is not sent.
func Push(ctx context.Context, ref Ref, module []byte, minisign string, o *Options) (*Pushed, error) {
	report, err := plugins.Inspect(module)
	switch {
	case err != nil:
		return nil, fmt.Errorf("push %s: %w", ref, err)
	case len(report.Problems) > 0:
		p := report.Problems[0]
		return nil, &plugins.Error{Code: p.Code, Plugin: ref.String(), Hint: p.Hint, Err: fmt.Errorf("it would be refused: %s", p.Text)}
	case ref.Tag == "" || ref.Digest != "":
		return nil, fmt.Errorf("push %s: a tag is wanted, and no digest", ref)
	}
	i, err := newImage(module, report, minisign)
	if err != nil {
		return nil, err
	}
	err = within(ctx, ref, o, func(ctx context.Context, repo *remote.Repository) error {
		return i.push(ctx, repo, ref.Tag)
	})
	if err != nil {
		return nil, err
	}
	return &Pushed{Digest: report.Digest, Manifest: string(i.manifestAt.Digest)}, nil
}

func (i *image) push(ctx context.Context, repo *remote.Repository, tag string) error {
	if err := pushBlob(ctx, repo, i.configAt, i.config); err != nil {
		return err
	}
	if err := pushBlob(ctx, repo, i.layerAt, i.layer); err != nil {
		return err
	}
	return repo.PushReference(ctx, i.manifestAt, bytes.NewReader(i.manifest), tag)
}

func pushBlob(ctx context.Context, repo *remote.Repository, d ocispec.Descriptor, data []byte) error {
	if there, err := repo.Blobs().Exists(ctx, d); err != nil || there {
		return err
	}
	return repo.Blobs().Push(ctx, d, bytes.NewReader(data))
}
