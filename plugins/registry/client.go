package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
)

// Options holds the optional settings of [Push], [Pull] and [Attach].
type Options struct {
	// DockerConfig is the file in which docker login and oras login keep credentials,
	// or say which helper does; "" means none, and so does a file that is not there.
	DockerConfig string
	// PlainHTTP talks without encryption to the registry. One on this machine is
	// always talked to like that.
	PlainHTTP bool
	Timeout   time.Duration // for all of it; 0 means two minutes
	UserAgent string
}

// What a registry may send, in bytes.
const (
	maxManifest = 1 << 20
	maxHeader   = 64 << 10
)

const dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"

// open returns the repository that ref is in. Nothing is sent yet.
func open(ref Ref, o *Options) (*remote.Repository, error) {
	repo, err := remote.NewRepository(ref.Host + "/" + ref.Repository)
	if err != nil {
		return nil, err
	}
	repo.PlainHTTP = o.PlainHTTP || ref.loopback()
	repo.MaxMetadataBytes = maxManifest
	repo.ManifestMediaTypes = []string{ocispec.MediaTypeImageManifest, dockerManifest, ocispec.MediaTypeImageIndex}
	client := &auth.Client{Client: httpClient(ref, repo.PlainHTTP), Cache: auth.NewCache()}
	client.SetUserAgent(cmp.Or(o.UserAgent, "twinrules"))
	if o.DockerConfig != "" {
		store, err := credentials.NewStore(o.DockerConfig, credentials.StoreOptions{})
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", o.DockerConfig, err)
		}
		client.Credential = credentials.Credential(store)
	}
	repo.Client = client
	return repo, nil
}

// within runs f with a repository and the time that o gives it, and classifies
// its error.
func within(ctx context.Context, ref Ref, o *Options, f func(context.Context, *remote.Repository) error) error {
	if o == nil {
		o = &Options{}
	}
	repo, err := open(ref, o)
	if err != nil {
		return failure(ref, err)
	}
	wait := cmp.Or(o.Timeout, 2*time.Minute)
	ctx, cancel := context.WithTimeoutCause(ctx, wait, timeoutError(wait))
	defer cancel()
	err = f(ctx, repo)
	if cause, ok := errors.AsType[timeoutError](context.Cause(ctx)); ok && err != nil {
		err = cause
	}
	return failure(ref, err)
}

// A timeoutError is how long was waited in vain.
type timeoutError time.Duration

func (e timeoutError) Error() string {
	return fmt.Sprintf("the registry was not done within %s", time.Duration(e))
}

func httpClient(ref Ref, plain bool) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = maxHeader
	transport.DisableKeepAlives = true // one command, few requests, and nothing left open
	return &http.Client{Transport: &guard{transport, ref, plain}, CheckRedirect: checkRedirect}
}

// A guard lets nothing out without encryption but to the registry itself, and
// there only when that was asked for, wherever a registry says to sign in or to
// go on.
type guard struct {
	next  http.RoundTripper
	ref   Ref
	plain bool
}

func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	own := r.URL.Host == g.ref.Host || g.ref.loopback() && isLoopback(r.URL.Host)
	if r.URL.Scheme != "https" && !(own && g.plain) {
		return nil, awayError{fmt.Sprintf("the registry wants %s to be asked without encryption", r.URL.Host)}
	}
	return g.next.RoundTrip(r)
}

// An awayError says that a registry sends us where we do not go.
type awayError struct{ string }

func (e awayError) Error() string { return e.string }

// checkRedirect follows redirects to where a registry keeps its blobs, whose
// digests are known, and takes no credentials there. Others stay on the host.
func checkRedirect(next *http.Request, before []*http.Request) error {
	first := before[0]
	elsewhere := next.URL.Host != first.URL.Host
	blob := strings.Contains(first.URL.Path, "/blobs/") && (first.Method == http.MethodGet || first.Method == http.MethodHead)
	switch {
	case len(before) > 3:
		return awayError{"the registry redirects again and again"}
	case elsewhere && !blob:
		return awayError{fmt.Sprintf("the registry redirects to %s, where only a module may be", next.URL.Host)}
	case elsewhere:
		next.Header.Del("Authorization")
	}
	return nil
}
