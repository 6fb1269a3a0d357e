package registry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/abi"
	"github.com/twinrules/twinrules/plugins/registry"
	"github.com/twinrules/twinrules/plugins/registry/registrytest"
	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
)

var module = wasmtest.Answering(`{"match":true}`, nil)

func parseRef(t testing.TB, text string) registry.Ref {
	t.Helper()
	ref, err := registry.ParseRef(text)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func TestParseRef(t *testing.T) {
	digest := "sha256:" + strings.Repeat("ab", 32)
	for text, want := range map[string]registry.Ref{
		"oci://registry.example/a/b:1.2":                   {Host: "registry.example", Repository: "a/b", Tag: "1.2"},
		"localhost:5000/b@" + digest:                       {Host: "localhost:5000", Repository: "b", Digest: digest},
		"oci://fleet.registry.example/fleet/b:1@" + digest: {Host: "fleet.registry.example", Repository: "fleet/b", Tag: "1", Digest: digest},
		"oci://registry.example/a/b":                       {},
		"oci://registry.example/a/b@sha256:12":             {},
		"oci://registry.example/a/b@":                      {},
		"oci://registry.example/A/b:1":                     {},
		"oci://registry.example/a/../b:1":                  {},
		"oci://registry.example/a b:1":                     {},
		"oci://user:password@registry.example/a/b:1":       {},
		"https://registry.example/a/b:1":                   {},
		"b:1":                                              {},
		"oci://registry.example/a/b:1@md5:0123":            {},
		"oci://registry.example/a/b:1@" + digest + "?x=1":  {},
		"oci://registry.example/a/b:1\n@" + digest:         {},
		"oci://169.254.169.254/latest/meta-data/":          {},
	} {
		got, err := registry.ParseRef(text)
		if (err != nil) != (want == registry.Ref{}) || got != want {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
		if err == nil && parseRef(t, got.String()) != got {
			t.Errorf("%s is written as %s", text, got)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	host := registrytest.Start(t)
	ref := parseRef(t, host+"/fleet/judge:1")
	manifest, _ := json.Marshal(abi.Manifest{APIVersion: abi.ManifestVersion, Kind: abi.ManifestKind, Name: "judge", Version: "1.4.0", ABI: abi.Version})
	module, err := plugins.Embed(module, manifest)
	if err != nil {
		t.Fatal(err)
	}
	pushed, err := registry.Push(t.Context(), ref, module, "a signature", nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := registry.Push(t.Context(), parseRef(t, host+"/fleet/judge:latest"), module, "a signature", nil)
	if err != nil || *again != *pushed {
		t.Errorf("pushed again: got %v, %v, want %v", again, err, pushed)
	}
	signature := registry.Signature{Payload: []byte(`{"critical":{}}`), Signature: "c2ln"}
	for _, s := range []registry.Signature{signature, {Payload: []byte("{}"), Signature: "eA=="}} {
		if err := registry.Attach(t.Context(), ref, pushed.Manifest, s, nil); err != nil {
			t.Fatal(err)
		}
	}
	ref.Digest = pushed.Manifest
	for _, ref := range []registry.Ref{ref, parseRef(t, host+"/fleet/judge:latest")} {
		got, err := registry.Pull(t.Context(), ref, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Module, module) || got.Digest != pushed.Digest || got.Minisign != "a signature" {
			t.Errorf("%s: got %+v", ref, got)
		}
		if diff := cmp.Diff([]registry.Signature{signature, {Payload: []byte("{}"), Signature: "eA=="}}, got.Cosign); diff != "" {
			t.Errorf("signatures (-want +got):\n%s", diff)
		}
		if !strings.Contains(string(got.Manifest), `"org.opencontainers.image.version":"1.4.0"`) {
			t.Errorf("the manifest is %s", got.Manifest)
		}
	}
	if digest, err := registry.Resolve(t.Context(), parseRef(t, host+"/fleet/judge:1"), nil); digest != pushed.Manifest {
		t.Errorf("got %s, %v, want %s", digest, err, pushed.Manifest)
	}
	_, err = registry.Pull(t.Context(), parseRef(t, host+"/fleet/judge:2"), nil)
	if e, ok := errors.AsType[*plugins.Error](err); !ok || e.Code != plugins.LoadFetch || !strings.Contains(err.Error(), "no such module") || e.Hint == "" {
		t.Errorf("got %v", err)
	}
}

func TestPushRefuses(t *testing.T) {
	broken := (&wasmtest.Module{}).Bytes()
	for name, c := range map[string]struct {
		ref    string
		module []byte
		want   string
	}{
		"what would not be loaded": {"localhost:1/a:1", broken, "it would be refused"},
		"what is no module":        {"localhost:1/a:1", []byte("text"), "header"},
		"a digest":                 {"localhost:1/a:1@sha256:" + strings.Repeat("0", 64), module, "a tag is wanted"},
		"nobody there":             {"localhost:1/a:1", module, "refused"},
	} {
		if _, err := registry.Push(t.Context(), parseRef(t, c.ref), c.module, "", nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// A fake is a registry that answers what a test says, by path. What is missing is
// not found.
type fake map[string]http.HandlerFunc

func (f fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if answer := f[r.Method+" "+r.URL.Path]; answer != nil {
		answer(w, r)
		return
	}
	http.NotFound(w, r)
}

func answer(mediaType string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		_, _ = w.Write(body)
	}
}

const manifestType = "application/vnd.oci.image.manifest.v1+json"

// imageOf returns a manifest of one layer.
func imageOf(mediaType, digest string, size int) []byte {
	text, _ := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": manifestType,
		"config": map[string]any{"mediaType": "application/vnd.wasm.config.v0+json", "digest": digest, "size": 2},
		"layers": []any{map[string]any{"mediaType": mediaType, "digest": digest, "size": size}},
	})
	return text
}

func TestHostileRegistries(t *testing.T) {
	report, err := plugins.Inspect(module)
	if err != nil {
		t.Fatal(err)
	}
	const manifests, wasmType = "GET /v2/a/manifests/1", "application/wasm"
	blob := "GET /v2/a/blobs/" + report.Digest
	good := answer(manifestType, imageOf(wasmType, report.Digest, len(module)))
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusTemporaryRedirect) }
	}
	endless := func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}
	tests := []struct {
		name string
		fake fake
		want plugins.Code
		text string
	}{
		{"another module", fake{manifests: good, blob: answer("", append([]byte("x"), module[1:]...))}, plugins.LoadDigest, "has the digest"},
		{"a shorter module", fake{manifests: good, blob: answer("", module[1:])}, "plugin.load.", ""},
		{"an endless module", fake{manifests: good, blob: endless}, plugins.LoadDigest, "has not the"},
		{"no module", fake{manifests: good}, plugins.LoadFetch, "no such module"},
		{"a huge module", fake{manifests: answer(manifestType, imageOf(wasmType, report.Digest, 1<<40))}, plugins.LoadLimit, "1099511627776 bytes"},
		{"a module of negative size", fake{manifests: answer(manifestType, imageOf(wasmType, report.Digest, -5))}, plugins.LoadLimit, "-5 bytes"},
		{"a digest of nothing", fake{manifests: answer(manifestType, imageOf(wasmType, "", 5))}, plugins.LoadFormat, "not one of sha256"},
		{"a digest of another sort", fake{manifests: answer(manifestType, imageOf(wasmType, "md5:00", 5))}, plugins.LoadFormat, "not one of sha256"},
		{"a path as digest", fake{manifests: answer(manifestType, imageOf(wasmType, "sha256:../../../etc/passwd", 5))}, plugins.LoadFormat, "not one of sha256"},
		{"an image of something else", fake{manifests: answer(manifestType, imageOf("application/json", report.Digest, 5))}, plugins.LoadFormat, "not one module"},
		{"an image that is no archive", fake{manifests: answer(manifestType, imageOf("application/vnd.oci.image.layer.v1.tar+gzip", report.Digest, len(module))), blob: answer("", module)}, plugins.LoadFormat, "gzip"},
		{"no layers", fake{manifests: answer(manifestType, []byte(`{}`))}, plugins.LoadFormat, "not one module"},
		{"no JSON", fake{manifests: answer(manifestType, []byte(`<html>`))}, plugins.LoadFormat, "no JSON"},
		{"an index", fake{manifests: answer("application/vnd.oci.image.index.v1+json", []byte(`{}`))}, plugins.LoadFormat, "not one image"},
		{"a page", fake{manifests: answer("text/html", []byte(`<html>`))}, plugins.LoadFormat, "not one image"},
		{"a type that is none", fake{manifests: answer(";;;", []byte(`{}`))}, plugins.LoadFetch, "Content-Type"},
		{"a huge manifest", fake{manifests: answer(manifestType, make([]byte, 2<<20))}, "plugin.load.", ""},
		{"an endless manifest", fake{manifests: endless}, plugins.LoadFetch, ""},
		{"a manifest of another digest", fake{manifests: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Docker-Content-Digest", "sha256:"+strings.Repeat("0", 64))
			good(w, r)
		}}, plugins.LoadDigest, "has the digest"},
		{"a digest in the header that is none", fake{manifests: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Docker-Content-Digest", "sha256")
			good(w, r)
		}}, plugins.LoadFetch, "invalid"},
		{"a module elsewhere, in the open", fake{manifests: good, blob: redirect("http://example.com/blob")}, plugins.LoadFetch, "example.com to be asked without encryption"},
		{"a manifest elsewhere", fake{manifests: redirect("https://example.com/manifest")}, plugins.LoadFetch, "redirects to example.com"},
		{"a manifest in a circle", fake{manifests: redirect("/v2/a/manifests/1")}, plugins.LoadFetch, "again and again"},
		{"sign in elsewhere, in the open", fake{manifests: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://example.com/token",service="x"`)
			w.WriteHeader(http.StatusUnauthorized)
		}}, plugins.LoadFetch, "example.com to be asked without encryption"},
		{"not for you", fake{manifests: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"errors":[{"code":"DENIED","message":"go away"}]}`))
		}}, plugins.LoadFetch, "answers 403: denied: go away"},
		{"out of order", fake{manifests: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }}, plugins.LoadFetch, "answers 500"},
		{"a lost connection", fake{manifests: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }}, plugins.LoadFetch, "EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(tt.fake)
			defer server.Close()
			ref := parseRef(t, strings.TrimPrefix(server.URL, "http://")+"/a:1")
			got, err := registry.Pull(t.Context(), ref, nil)
			e, ok := errors.AsType[*plugins.Error](err)
			if !ok || !strings.HasPrefix(string(e.Code), string(tt.want)) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v, %v, want %s with %q", got, err, tt.want, tt.text)
			}
		})
	}
}

func TestHangingRegistry(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer server.Close()
	ref := parseRef(t, strings.TrimPrefix(server.URL, "http://")+"/a:1")
	_, err := registry.Pull(t.Context(), ref, &registry.Options{Timeout: 50 * time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "not done within 50ms [plugin.load.fetch]") {
		t.Errorf("got %v", err)
	}
}

// FuzzParseRef: what is a reference is written as itself, and names one host and
// one place there.
func FuzzParseRef(f *testing.F) {
	for _, text := range []string{"oci://registry.example/a/b:1.2", "localhost:5000/b@sha256:" + strings.Repeat("ab", 32), "x/y:z@sha256:0", "[::1]:5/a:b", "a.b/c/../d:e"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ref, err := registry.ParseRef(text)
		if err != nil {
			return
		}
		if again, err := registry.ParseRef(ref.String()); err != nil || again != ref {
			t.Errorf("%q is %+v and then %+v, %v", text, ref, again, err)
		}
		if strings.ContainsAny(ref.Host, "/@ \n") || strings.Contains(ref.Repository, "..") || strings.ContainsAny(ref.Repository+ref.Tag, "@ ?#%\n") {
			t.Errorf("%q is %+v", text, ref)
		}
	})
}
