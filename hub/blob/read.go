package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

const (
	patience = time.Minute // without a byte
	restarts = 5           // in a row without progress
)

// Open starts to read a blob. When the connection breaks, or stands still for a
// minute, reading goes on where it was, and only if the blob is still the same.
// Reading ends with io.EOF after exactly as many bytes as the blob has. It fails
// with [ErrNotFound] when there is none. The caller closes the reader, which
// ends when ctx does.
func (c *Container) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	r := &reader{ctx: ctx, container: c, name: name, size: -1}
	if err := r.connect(); err != nil {
		return nil, err
	}
	return r, nil
}

// A reader reads one blob over as many connections as it takes.
type reader struct {
	ctx       context.Context
	container *Container
	name      string
	etag      string
	at, size  int64 // size is -1 until it is known

	body   io.ReadCloser // nil after a break
	cancel context.CancelFunc
	timer  *time.Timer // ends a connection that stands still
	broken int         // connections that broke since the last byte
}

// Read is part of [io.Reader].
func (r *reader) Read(p []byte) (int, error) {
	for {
		if r.at == r.size {
			return 0, io.EOF
		}
		n, err := r.part(p)
		if n > 0 {
			r.at, r.broken = r.at+int64(n), 0
			return n, nil
		}
		if err == nil {
			continue
		}
		if err := r.again(err); err != nil {
			return 0, err
		}
	}
}

// part reads from the connection there is. What goes beyond the blob's size is
// an error like too little.
func (r *reader) part(p []byte) (int, error) {
	if r.body == nil {
		return 0, io.ErrUnexpectedEOF
	}
	r.timer.Reset(patience)
	n, err := r.body.Read(p)
	if int64(n) > r.size-r.at {
		return 0, errors.New("more bytes than the blob has")
	}
	return n, err
}

// again connects anew after a break, unless that has been tried enough.
func (r *reader) again(cause error) error {
	r.hangUp()
	if err := r.ctx.Err(); err != nil {
		return fmt.Errorf("read blob %s: %w", r.name, err)
	}
	if r.broken++; r.broken > restarts {
		return fmt.Errorf("read blob %s: the connection breaks at byte %d of %d: %w", r.name, r.at, r.size, r.container.hush(cause))
	}
	return r.connect()
}

// connect asks for the rest of the blob, from at.
func (r *reader) connect() error {
	ctx, cancel := context.WithCancel(r.ctx)
	resp, err := r.ask(ctx)
	if err != nil {
		cancel()
		return fmt.Errorf("read blob %s: %w", r.name, err)
	}
	r.body, r.cancel = resp.Body, cancel
	r.timer = time.AfterFunc(patience, cancel)
	return nil
}

func (r *reader) ask(ctx context.Context) (*http.Response, error) {
	req, err := r.container.request(ctx, http.MethodGet, r.name)
	if err != nil {
		return nil, err
	}
	runtime.SkipBodyDownload(req)
	wanted := http.StatusOK
	if r.at > 0 {
		wanted = http.StatusPartialContent
		req.Raw().Header.Set("Range", fmt.Sprintf("bytes=%d-", r.at))
		req.Raw().Header.Set("If-Match", r.etag)
	}
	resp, err := r.container.internal.Pipeline().Do(req)
	if err != nil {
		return nil, r.container.hush(err)
	}
	if resp.StatusCode == wanted {
		err = r.check(resp)
	} else {
		err = r.wrong(resp)
	}
	if err != nil {
		resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// wrong is the error of a status that was not wanted.
func (r *reader) wrong(resp *http.Response) error {
	if resp.StatusCode == http.StatusPreconditionFailed {
		return fmt.Errorf("it was replaced while it was read, at byte %d of %d", r.at, r.size)
	}
	if resp.StatusCode < 400 {
		return fmt.Errorf("the storage account answered %d to a request for the rest of it", resp.StatusCode)
	}
	resp.Body = http.MaxBytesReader(nil, resp.Body, 64<<10) // it goes into the error
	return r.container.refused(resp)
}

// check compares an answer with what was said about the blob before.
func (r *reader) check(resp *http.Response) error {
	length, etag := resp.ContentLength, resp.Header.Get("ETag")
	switch {
	case length < 0:
		return errors.New("the answer does not say how long it is")
	case r.size < 0:
		r.size, r.etag = length, etag
		return nil
	case etag != r.etag || r.at+length != r.size || resp.Header.Get("Content-Range") != contentRange(r.at, r.size):
		return fmt.Errorf("the answer is not the rest of the blob from byte %d of %d", r.at, r.size)
	}
	return nil
}

func contentRange(at, size int64) string {
	return "bytes " + strconv.FormatInt(at, 10) + "-" + strconv.FormatInt(size-1, 10) + "/" + strconv.FormatInt(size, 10)
}

func (r *reader) hangUp() {
	if r.body != nil {
		r.timer.Stop()
		r.cancel()
		_ = r.body.Close() // what it has to say has been read
		r.body = nil
	}
}

// Close ends the connection.
func (r *reader) Close() error {
	r.hangUp()
	return nil
}
