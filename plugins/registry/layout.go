package registry

import (
	"encoding/json"
	"fmt"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"

	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/wasm"
)

// The media types of the layout that the CNCF's group for WebAssembly wrote down.
const (
	configType = "application/vnd.wasm.config.v0+json"
	layerType  = "application/wasm"
)

// minisignKey is the annotation of the manifest that holds a minisign signature
// of the module, which has no place of its own in a registry.
const minisignKey = "dev.twinrules.minisign"

// layerTypes are those of which a module is taken as it is: the layout's own, that
// of Trivy's modules, and that of the first ones who put modules into registries.
var layerTypes = []string{
	layerType,
	"application/vnd.module.wasm.content.layer.v1+wasm",
	"application/vnd.wasm.content.layer.v1+wasm",
}

// A config is the layout's description of a module. It says nothing of when and
// by whom, so that pushing a module twice makes one manifest.
type config struct {
	Created      string   `json:"created"`
	Architecture string   `json:"architecture"`
	OS           string   `json:"os"`
	LayerDigests []string `json:"layerDigests"`
}

// An image is what is pushed for a module.
type image struct {
	manifest, config, layer          []byte
	manifestAt, configAt, layerAt    ocispec.Descriptor
	name, version, minisign, summary string
}

func newImage(module []byte, r *plugins.Report, minisign string) (*image, error) {
	i := &image{layer: module, layerAt: content.NewDescriptorFromBytes(layerType, module), minisign: minisign}
	if m := r.Manifest; m != nil {
		i.name, i.version, i.summary = m.Name, m.Version, m.Description
	}
	var err error
	i.config, err = json.Marshal(config{"1970-01-01T00:00:00Z", "wasm", "wasip1", []string{r.Digest}})
	if err != nil {
		return nil, err
	}
	i.configAt = content.NewDescriptorFromBytes(configType, i.config)
	m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, Config: i.configAt, Layers: []ocispec.Descriptor{i.layerAt}, Annotations: i.annotations()}
	m.SchemaVersion = 2
	if i.manifest, err = json.Marshal(m); err != nil {
		return nil, err
	}
	i.manifestAt = content.NewDescriptorFromBytes(ocispec.MediaTypeImageManifest, i.manifest)
	return i, nil
}

func (i *image) annotations() map[string]string {
	all := map[string]string{}
	for key, text := range map[string]string{
		ocispec.AnnotationTitle: i.name, ocispec.AnnotationVersion: i.version,
		ocispec.AnnotationDescription: i.summary, minisignKey: i.minisign,
	} {
		if text != "" {
			all[key] = text
		}
	}
	return all
}

// readManifest reads a manifest that a registry sent, and finds the one layer that
// is a module.
func readManifest(data []byte) (ocispec.Manifest, ocispec.Descriptor, error) {
	var m ocispec.Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return m, ocispec.Descriptor{}, &plugins.Error{Code: plugins.LoadFormat, Err: fmt.Errorf("its manifest is no JSON of a manifest: %w", err)}
	}
	var types []string
	var found []ocispec.Descriptor
	for _, layer := range m.Layers {
		types = append(types, layer.MediaType)
		if slices.Contains(layerTypes, layer.MediaType) || slices.Contains(archiveTypes, layer.MediaType) {
			found = append(found, layer)
		}
	}
	if len(found) != 1 || len(m.Layers) != 1 {
		return m, ocispec.Descriptor{}, &plugins.Error{Code: plugins.LoadFormat,
			Err:  fmt.Errorf("it is not one module: its layers are %.300q", types),
			Hint: "twinrules plugin push makes an image with one layer of " + layerType}
	}
	return m, found[0], check("module", found[0], wasm.MaxSize)
}
