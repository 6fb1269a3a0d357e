package hub

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// policyFunc is a function as a step of the pipeline.
type policyFunc func(*policy.Request) (*http.Response, error)

func (f policyFunc) Do(req *policy.Request) (*http.Response, error) { return f(req) }

// An answer that brings less than slowBytes in slowTime is given up: a hub that
// sends a byte a second would hold us for years.
const (
	slowTime  = 10 * time.Second
	slowBytes = 1 << 10
)

var errSlow = fmt.Errorf("the answer comes too slowly, less than %d bytes in %s", slowBytes, slowTime)

// A receiver stands between the pipeline and the network. It reads the body of
// an answer, of an error's too, up to a limit, because a body that breaks off is
// as good as no answer and deserves another try. The SDK would read that of an
// error without bound.
type receiver struct {
	transport policy.Transporter
	pages     chan *bytes.Buffer // for large bodies, to be used again
}

func (r *receiver) Do(req *http.Request) (*http.Response, error) {
	call, ok := req.Context().Value(callKey{}).(*call)
	if !ok {
		return nil, errors.New("the request is none of this client's")
	}
	call.signedIn.Store(true)
	resp, err := r.transport.Do(req)
	if err != nil {
		return nil, lasting(err)
	}
	body, err := r.read(resp, call.op.limit)
	if err != nil {
		return nil, err
	}
	resp.Body = body
	if resp.Request == nil { // the transports of tests forget it
		resp.Request = req
	}
	return resp, nil
}

func (r *receiver) read(resp *http.Response, limit int64) (*whole, error) {
	defer resp.Body.Close()
	buffer := &bytes.Buffer{}
	if limit == pageLimit {
		buffer = reuse(r.pages)
	}
	_, err := buffer.ReadFrom(io.LimitReader(&steady{body: resp.Body}, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if int64(buffer.Len()) > limit {
		return nil, permanent{fmt.Errorf("%w: longer than %d bytes", ErrBadAnswer, limit)}
	}
	return &whole{bytes.NewReader(buffer.Bytes()), buffer}, nil
}

// whole is a body in memory.
type whole struct {
	*bytes.Reader
	buffer *bytes.Buffer
}

// Close lets the body be read again, as the SDK does with what it has read.
func (w *whole) Close() error {
	_, err := w.Seek(0, io.SeekStart)
	return err
}

// bodyOf returns the body that a receiver has read, without a copy unless a
// policy of the client's user has put another one in its place.
func bodyOf(resp *http.Response) ([]byte, *bytes.Buffer, error) {
	if w, ok := resp.Body.(*whole); ok {
		return w.buffer.Bytes(), w.buffer, nil
	}
	body, err := runtime.Payload(resp)
	return body, nil, err
}

// How many buffers wait for the next page, and how large they are at most.
const (
	keptPages = 2
	keptBytes = 8 << 20
)

// reuse returns an empty buffer, a used one if there is one.
func reuse(pages chan *bytes.Buffer) *bytes.Buffer {
	select {
	case buffer := <-pages:
		buffer.Reset()
		return buffer
	default:
		return &bytes.Buffer{}
	}
}

// free gives the memory of a page back, which must not be used any more.
func (c *Client) free(a *answer) {
	if a.buffer == nil || a.buffer.Cap() > keptBytes {
		return
	}
	select {
	case c.pages <- a.buffer:
	default:
	}
}

// steady is a body that must make progress.
type steady struct {
	body  io.Reader
	since time.Time // the beginning of the present stretch
	bytes int       // of that stretch
}

func (s *steady) Read(p []byte) (int, error) {
	if s.since.IsZero() {
		s.since = time.Now()
	}
	n, err := s.body.Read(p)
	s.bytes += n
	if passed := time.Since(s.since); err == nil && passed >= slowTime {
		if s.bytes < slowBytes {
			return n, errSlow
		}
		s.since, s.bytes = s.since.Add(passed), 0
	}
	return n, err
}

// permanent is an error that trying again does not heal.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// NonRetriable tells the SDK's retry policy.
func (permanent) NonRetriable() {}

// lasting marks errors that will be the same in a minute.
func lasting(err error) error {
	var certificate *tls.CertificateVerificationError
	var notTLS tls.RecordHeaderError
	var name *net.DNSError
	switch {
	case errors.As(err, &certificate), errors.As(err, &notTLS), errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &name) && name.IsNotFound:
		return permanent{err}
	}
	return err
}
