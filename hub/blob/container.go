package blob

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
)

const (
	moduleName    = "twinrules/blob"
	moduleVersion = "v0.1.0"
	apiVersion    = "2021-12-02"

	// Audience is the resource that tokens are asked for.
	Audience = "https://storage.azure.com"
)

// ErrNotFound: there is no such blob, or no such container.
var ErrNotFound = errors.New("no such blob")

// Options holds the optional settings of [NewContainer].
type Options struct {
	// ClientOptions are those of the Azure SDK. A Transport given here replaces the
	// package's own, and RootCAs with it.
	azcore.ClientOptions
	RootCAs *x509.CertPool // who may vouch for the account; nil means the system's
}

// A Container is one of a storage account. It may be used by many goroutines at
// once and starts none.
type Container struct {
	internal *azcore.Client
	url      *url.URL // with the signature, if it has one
}

// NewContainer returns the container at uri, such as
// https://account.blob.core.windows.net/exports. No request is made. A uri with
// a shared access signature needs no cred. Accounts that are neither in a domain
// of Azure's nor on loopback are refused.
func NewContainer(uri string, cred azcore.TokenCredential, opts *Options) (*Container, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	u, err := parse(uri)
	if err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	if o.Transport == nil {
		o.Transport = newTransport(o.RootCAs)
	}
	pipeline := runtime.PipelineOptions{PerCall: []policy.Policy{runtime.NewRequestIDPolicy()}}
	switch {
	case u.Query().Has("sig"):
	case cred == nil:
		return nil, errors.New("blob: neither a credential nor a signature")
	default:
		pipeline.PerRetry = []policy.Policy{runtime.NewBearerTokenPolicy(cred, []string{Audience + "/.default"}, nil)}
	}
	internal, err := azcore.NewClient(moduleName, moduleVersion, pipeline, &o.ClientOptions)
	if err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	return &Container{internal, u}, nil
}

// domains are those of storage accounts in Azure's clouds.
func domains() []string {
	return []string{".blob.core.windows.net", ".blob.core.usgovcloudapi.net", ".blob.core.chinacloudapi.cn", ".blob.storage.azure.net"}
}

// parse checks what a container is called by. A token is worth as much as a
// password, so it is not sent to whatever a setting happens to name.
func parse(uri string) (*url.URL, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return nil, errors.New("the container is not named by a URL") // which may hold a signature
	}
	shown := u.Scheme + "://" + u.Host + u.EscapedPath()
	if u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" || strings.Trim(u.Path, "/") == "" {
		return nil, fmt.Errorf("%q is not the URL of a container; it looks like https://account.blob.core.windows.net/exports", shown)
	}
	name := strings.ToLower(u.Hostname())
	loopback := name == "localhost" || net.ParseIP(name).IsLoopback()
	if !loopback && !slices.ContainsFunc(domains(), func(d string) bool { return strings.HasSuffix(name, d) && len(name) > len(d) }) {
		return nil, fmt.Errorf("%q is no storage account: its name should end in %s", name, strings.Join(domains(), ", "))
	}
	return u, nil
}

// newTransport returns an HTTP client that follows no redirects.
func newTransport(roots *x509.CertPool) *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			TLSHandshakeTimeout:    10 * time.Second,
			ResponseHeaderTimeout:  60 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			IdleConnTimeout:        90 * time.Second,
			DisableCompression:     true, // ranges are of the blob's own bytes
		},
	}
}

// Host returns the name of the account's host.
func (c *Container) Host() string { return c.url.Host }

// Put writes a blob of this name, in place of one that is there. The whole of
// data is sent again when the first try fails.
func (c *Container) Put(ctx context.Context, name string, data io.ReadSeeker) error {
	req, err := c.request(ctx, http.MethodPut, name)
	if err == nil {
		req.Raw().Header.Set("x-ms-blob-type", "BlockBlob")
		err = req.SetBody(streaming.NopCloser(data), "application/octet-stream")
	}
	if err != nil {
		return fmt.Errorf("write blob %s: %w", name, err)
	}
	resp, err := c.internal.Pipeline().Do(req)
	return c.outcome("write", name, resp, err, http.StatusCreated)
}

// Delete removes a blob. It fails with [ErrNotFound] when there is none.
func (c *Container) Delete(ctx context.Context, name string) error {
	req, err := c.request(ctx, http.MethodDelete, name)
	if err != nil {
		return fmt.Errorf("delete blob %s: %w", name, err)
	}
	resp, err := c.internal.Pipeline().Do(req)
	return c.outcome("delete", name, resp, err, http.StatusAccepted)
}

func (c *Container) request(ctx context.Context, method, name string) (*policy.Request, error) {
	if name == "" || strings.HasPrefix(name, "/") || strings.Contains("/"+name+"/", "/../") || strings.Contains("/"+name+"/", "/./") {
		return nil, fmt.Errorf("%q is not the name of a blob", name)
	}
	segments := strings.Split(name, "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	u := c.url.JoinPath(segments...)
	req, err := runtime.NewRequest(ctx, method, u.String())
	if err != nil {
		return nil, errors.New("the request could not be made") // the URL may hold a signature
	}
	req.Raw().Header.Set("x-ms-version", apiVersion)
	return req, nil
}

// outcome turns anything but the wanted status into an error.
func (c *Container) outcome(verb, name string, resp *http.Response, err error, wanted int) error {
	switch {
	case err != nil:
		return fmt.Errorf("%s blob %s: %w", verb, name, c.hush(err))
	case resp.StatusCode == wanted:
		return nil
	}
	return fmt.Errorf("%s blob %s: %w", verb, name, c.refused(resp))
}

// refused is the error of an answer that is no success.
func (c *Container) refused(resp *http.Response) error {
	code := resp.Header.Get("x-ms-error-code")
	cause := runtime.NewResponseErrorWithErrorCode(resp, code)
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return &refusal{ErrNotFound, resp.StatusCode, code, "", cause}
	case resp.StatusCode == http.StatusForbidden, resp.StatusCode == http.StatusUnauthorized:
		return &refusal{nil, resp.StatusCode, code, "give the identity the role Storage Blob Data Reader on the container, or Contributor to write", cause}
	}
	return &refusal{nil, resp.StatusCode, code, "", cause}
}

// A refusal says in one line what the storage account answered.
type refusal struct {
	outcome error
	status  int
	code    string
	hint    string
	cause   error // an *azcore.ResponseError
}

func (r *refusal) Error() string {
	text := strings.TrimSpace(fmt.Sprintf("the storage account answered %d %s", r.status, r.code))
	if r.hint != "" {
		text += ": " + r.hint
	}
	return text
}

// Unwrap returns [ErrNotFound], if it is that, and the SDK's error.
func (r *refusal) Unwrap() []error {
	if r.outcome == nil {
		return []error{r.cause}
	}
	return []error{r.outcome, r.cause}
}

// hush takes the URL out of a network error: it may hold a signature.
func (c *Container) hush(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return failed.Err
	}
	return err
}
