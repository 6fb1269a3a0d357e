package emulator

import (
	"context"
	"io"
	"time"
)

// A Container is where import and export jobs find and leave their blobs. It is
// used by one job at a time; by the real clock the hub goes on meanwhile.
type Container interface {
	// ReadBlob opens a blob. It fails with an error that is [fs.ErrNotExist] when
	// there is none.
	ReadBlob(ctx context.Context, name string) (io.ReadCloser, error)
	// WriteBlob makes or replaces a blob with what r has. A blob that could not
	// be written whole is not there.
	WriteBlob(ctx context.Context, name string, r io.Reader) error
}

// A CheckedContainer is one that can find out what the hub may do there, as a hub
// does before it takes a job.
type CheckedContainer interface {
	Container
	// Check fails when the hub may not read from the container, or with write not
	// write to it.
	Check(ctx context.Context, write bool) error
}

// A ContainerAddress says where a container is, and who the hub is there.
type ContainerAddress struct {
	URI string // may hold a signature, which nobody else should see
	// Identity is the resource id of an identity of the user's that the hub goes
	// as; "" for its own, and where the URI has a signature.
	Identity string
	// Token returns a token of that identity for storage, which the emulator's
	// authority has issued, and when it expires.
	Token func() (string, time.Time)
}
