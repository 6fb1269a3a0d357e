package hub

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// policyFunc is a function as a step of the pipeline.
type policyFunc func(*policy.Request) (*http.Response, error)

func (f policyFunc) Do(req *policy.Request) (*http.Response, error) { return f(req) }

type (
	limitKey    struct{} // of the bytes to read of an answer, an int64
	progressKey struct{} // of a *progress
)

// A progress says how far a request has got.
type progress struct {
	signedIn  atomic.Bool // there was a token to send it with
	dialing   atomic.Bool // a connection was asked for
	connected atomic.Bool // and given
}

// watch returns a context in which requests tell how far they get.
func watch(ctx context.Context) (context.Context, *progress) {
	p := &progress{}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { p.dialing.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { p.connected.Store(true) },
	})
	return context.WithValue(ctx, progressKey{}, p), p
}

// sent reports whether the hub may have received something. Of a transport that
// does not tell about connections it has to be assumed.
func (p *progress) sent() bool {
	return p.signedIn.Load() && (p.connected.Load() || !p.dialing.Load())
}

// receive stands right before the network. It reads an answer's body, because a
// body that breaks off is as good as no answer and deserves another try.
func receive(req *policy.Request) (*http.Response, error) {
	ctx := req.Raw().Context()
	if p, ok := ctx.Value(progressKey{}).(*progress); ok {
		p.signedIn.Store(true)
	}
	resp, err := req.Next()
	if err != nil {
		return nil, lasting(err)
	}
	limit, _ := ctx.Value(limitKey{}).(int64)
	body, err := readBody(resp.Body, limit)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

func readBody(body io.ReadCloser, limit int64) ([]byte, error) {
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if int64(len(data)) > limit {
		return nil, permanent{fmt.Errorf("%w: longer than %d bytes", ErrBadAnswer, limit)}
	}
	return data, nil
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
