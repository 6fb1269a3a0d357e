package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
)

// A Signature is one that stands beside an image as cosign puts it there: a
// signed text that names the digest of the image's manifest.
type Signature struct {
	Payload   []byte
	Signature string // in base64
}

// How cosign keeps signatures in a registry.
const (
	payloadType  = "application/vnd.dev.cosign.simplesigning.v1+json"
	signatureKey = "dev.cosignproject.cosign/signature"
)

// What is taken of signatures. An image has one or two.
const (
	maxSignatures = 16
	maxPayload    = 64 << 10
)

// signatureTag is the tag under which signatures of a manifest are kept.
func signatureTag(manifest string) string { return strings.Replace(manifest, ":", "-", 1) + ".sig" }

// signatures returns those of a manifest, none when there are none.
func signatures(ctx context.Context, repo *remote.Repository, manifest string) ([]Signature, error) {
	m, err := signatureManifest(ctx, repo, manifest)
	if err != nil || m == nil {
		return nil, err
	}
	var list []Signature
	for _, layer := range m.Layers {
		if layer.MediaType != payloadType || layer.Annotations[signatureKey] == "" || len(list) == maxSignatures {
			continue
		}
		if err := check("signature", layer, maxPayload); err != nil {
			return nil, err
		}
		payload, err := fetchBlob(ctx, repo, "signature", layer)
		if err != nil {
			return nil, err
		}
		list = append(list, Signature{payload, layer.Annotations[signatureKey]})
	}
	return list, nil
}

// signatureManifest returns the manifest that holds the signatures of another, nil
// when there is none.
func signatureManifest(ctx context.Context, repo *remote.Repository, manifest string) (*ocispec.Manifest, error) {
	data, _, err := fetchManifest(ctx, repo, signatureTag(manifest))
	if errors.Is(err, errdef.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m := &ocispec.Manifest{}
	return m, json.Unmarshal(data, m)
}

// Resolve returns the digest of the manifest that ref names.
func Resolve(ctx context.Context, ref Ref, o *Options) (string, error) {
	if ref.Digest != "" {
		return ref.Digest, nil
	}
	var digest string
	err := within(ctx, ref, o, func(ctx context.Context, repo *remote.Repository) error {
		data, _, err := fetchManifest(ctx, repo, ref.Tag)
		digest = digestOf(data)
		return err
	})
	return digest, err
}

// Attach puts a signature beside the image whose manifest has a digest, to those
// that are there.
func Attach(ctx context.Context, ref Ref, manifest string, s Signature, o *Options) error {
	return within(ctx, ref, o, func(ctx context.Context, repo *remote.Repository) error {
		return attach(ctx, repo, manifest, s)
	})
}

func attach(ctx context.Context, repo *remote.Repository, manifest string, s Signature) error {
	m, err := signatureManifest(ctx, repo, manifest)
	if err != nil {
		return err
	}
	if m == nil {
		m = &ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest}
		m.SchemaVersion = 2
	}
	layer := content.NewDescriptorFromBytes(payloadType, s.Payload)
	layer.Annotations = map[string]string{signatureKey: s.Signature}
	m.Layers = append(m.Layers, layer)
	config, err := signatureConfig(m.Layers)
	if err != nil {
		return err
	}
	m.Config = content.NewDescriptorFromBytes(ocispec.MediaTypeImageConfig, config)
	if err := errors.Join(pushBlob(ctx, repo, layer, s.Payload), pushBlob(ctx, repo, m.Config, config)); err != nil {
		return err
	}
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	d := content.NewDescriptorFromBytes(ocispec.MediaTypeImageManifest, data)
	return repo.PushReference(ctx, d, bytes.NewReader(data), signatureTag(manifest))
}

// signatureConfig returns the config of an image whose layers are signatures,
// which says nothing.
func signatureConfig(layers []ocispec.Descriptor) ([]byte, error) {
	var c ocispec.Image
	c.RootFS.Type = "layers"
	for _, l := range layers {
		c.RootFS.DiffIDs = append(c.RootFS.DiffIDs, l.Digest)
	}
	return json.Marshal(c)
}
