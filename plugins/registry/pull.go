package registry

import (
	"cmp"
	"context"
	"fmt"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/twinrules/twinrules/plugins"
)

// A Pulled is a module as a registry has it. The digests are those of what came;
// whether it is what somebody wanted is the caller's to say, and so is what its
// signatures are worth.
type Pulled struct {
	Module   []byte
	Digest   string // of Module
	Manifest []byte // of the image, which names the layer that Module is or is in
	Minisign string // a signature of Module, "" when there is none
	Cosign   []Signature
}

// Pull fetches what ref names, with its signatures.
func Pull(ctx context.Context, ref Ref, o *Options) (*Pulled, error) {
	var p *Pulled
	err := within(ctx, ref, o, func(ctx context.Context, repo *remote.Repository) (err error) {
		p, err = pull(ctx, repo, ref)
		return err
	})
	return p, err
}

func pull(ctx context.Context, repo *remote.Repository, ref Ref) (*Pulled, error) {
	manifest, _, err := fetchManifest(ctx, repo, cmp.Or(ref.Digest, ref.Tag))
	if err != nil {
		return nil, err
	}
	m, layer, err := readManifest(manifest)
	if err != nil {
		return nil, err
	}
	data, err := fetchBlob(ctx, repo, "module", layer)
	if err != nil {
		return nil, err
	}
	p := &Pulled{Manifest: manifest, Minisign: m.Annotations[minisignKey]}
	if p.Module, err = unpack(layer.MediaType, data); err != nil {
		return nil, err
	}
	p.Digest = digestOf(p.Module)
	p.Cosign, err = signatures(ctx, repo, digestOf(manifest))
	return p, err
}

// fetchManifest returns the manifest that a tag or a digest names.
func fetchManifest(ctx context.Context, repo *remote.Repository, reference string) ([]byte, ocispec.Descriptor, error) {
	d, body, err := repo.Manifests().FetchReference(ctx, reference)
	if err != nil {
		return nil, d, err
	}
	defer body.Close()
	if err := check("manifest", d, maxManifest); err != nil {
		return nil, d, err
	}
	if d.MediaType != ocispec.MediaTypeImageManifest && d.MediaType != dockerManifest {
		return nil, d, &plugins.Error{Code: plugins.LoadFormat, Err: fmt.Errorf("it is %q, not one image", d.MediaType)}
	}
	data, err := read("manifest", body, d)
	return data, d, err
}

// fetchBlob returns what d describes, having been checked.
func fetchBlob(ctx context.Context, repo *remote.Repository, what string, d ocispec.Descriptor) ([]byte, error) {
	body, err := repo.Blobs().Fetch(ctx, d)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return read(what, body, d)
}
