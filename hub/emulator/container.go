package emulator

import (
	"context"
	"io"
)

// A Container is where import and export jobs find and leave their blobs. It is
// used by one job at a time, with the hub standing still meanwhile.
type Container interface {
	// ReadBlob opens a blob. It fails with an error that is [fs.ErrNotExist] when
	// there is none.
	ReadBlob(ctx context.Context, name string) (io.ReadCloser, error)
	// WriteBlob makes or replaces a blob with what r has. A blob that could not
	// be written whole is not there.
	WriteBlob(ctx context.Context, name string, r io.Reader) error
}
