package engine

import (
	"context"
	"iter"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Source supplies the documents a plan is computed from.
type Source interface {
	// Twins yields the twins that query selects, in any order. The query is in
	// the hub's language and of the form SELECT * FROM devices [WHERE …] or
	// SELECT * FROM devices.modules [WHERE …]. After an error it yields nothing
	// more.
	Twins(ctx context.Context, query string) iter.Seq2[*twin.Twin, error]
	// Configurations yields all configurations, in any order.
	Configurations(ctx context.Context) iter.Seq2[*twin.Configuration, error]
}

// A Counter is a [Source] that can count without listing. Where there is none,
// nothing is narrowed.
type Counter interface {
	// Count returns how many twins query counts, which is in the hub's language and
	// of the form SELECT COUNT() AS n FROM devices [WHERE …].
	Count(ctx context.Context, query string) (int, error)
}

// A Recording is a [Source] whose twins lie ready as text, so that they can be
// looked at without being read: those that are as their rules want them never are.
type Recording interface {
	Source
	// Blocks yields all twins, devices and modules, in an order that is always the
	// same. After an error it yields nothing more.
	Blocks(ctx context.Context) iter.Seq2[Block, error]
}

// A Block is a part of a [Recording]. It is used by one goroutine at a time;
// several goroutines use several.
type Block interface {
	// Lines calls judge with the JSON of each twin, which may be overwritten after
	// Release, and with its digest. It ends with the first error of judge's, to which
	// it adds the place, or of its own.
	Lines(judge func(line []byte, digest twin.Digest) error) error
	// Release says that the block is not used any more. Every block that was yielded
	// is released.
	Release()
}

// A Writer reads and changes twins. Its errors wrap the conditions of package
// twin, such as [twin.ErrChanged]. It does not repeat a write by itself.
type Writer interface {
	// Twin returns the twin as it is now, not as some index remembers it.
	Twin(ctx context.Context, ref twin.Ref) (*twin.Twin, error)
	// PatchTwin merges p into the twin named ref if its ETag is still etag, and
	// returns the result.
	PatchTwin(ctx context.Context, ref twin.Ref, p twin.Patch, etag string) (*twin.Twin, error)
}

// A ConfigurationWriter is a [Writer] that can change configurations, too.
type ConfigurationWriter interface {
	// PutConfiguration creates c when etag is "", else changes what may be
	// changed of it if its ETag is still etag.
	PutConfiguration(ctx context.Context, c *twin.Configuration, etag string) (*twin.Configuration, error)
	DeleteConfiguration(ctx context.Context, id, etag string) error
}
