package registry

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/wasm"
)

// archiveTypes are those of layers of container images, in which the tools of
// Envoy put a module as a file.
var archiveTypes = []string{
	ocispec.MediaTypeImageLayerGzip,
	ocispec.MediaTypeImageLayer,
	"application/vnd.docker.image.rootfs.diff.tar.gzip",
}

// maxArchive is how much of a layer is unpacked, in bytes.
const maxArchive = wasm.MaxSize + 1<<20

// unpack returns the module that a layer holds.
func unpack(mediaType string, data []byte) ([]byte, error) {
	for _, t := range layerTypes {
		if t == mediaType {
			return data, nil
		}
	}
	module, err := fromArchive(mediaType, data)
	if err != nil {
		return nil, &plugins.Error{Code: plugins.LoadFormat, Err: fmt.Errorf("its layer of %s: %w", mediaType, err)}
	}
	return module, nil
}

func fromArchive(mediaType string, data []byte) ([]byte, error) {
	var r io.Reader = bytes.NewReader(data)
	if strings.HasSuffix(mediaType, "gzip") {
		plain, err := gzip.NewReader(r)
		if err != nil {
			return nil, err
		}
		r = plain
	}
	files := tar.NewReader(io.LimitReader(r, maxArchive))
	for {
		file, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("no file in it ends in .wasm")
		}
		if err != nil {
			return nil, err
		}
		if file.Typeflag == tar.TypeReg && strings.HasSuffix(file.Name, ".wasm") {
			return io.ReadAll(files)
		}
	}
}
