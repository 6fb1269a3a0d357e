package registry_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/plugins/registry"
)

// TestCredentials: those of the docker client are shown to the registry that they
// are for, and to nobody else.
func TestCredentials(t *testing.T) {
	var asked []string
	image := imageOf("application/wasm", digest(module), len(module))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		switch {
		case user != "robot" || password != "secret":
			w.Header().Set("WWW-Authenticate", `Basic realm="here"`)
			w.WriteHeader(http.StatusUnauthorized)
		case strings.HasSuffix(r.URL.Path, ".sig"):
			http.NotFound(w, r)
		case strings.Contains(r.URL.Path, "/blobs/"):
			http.Redirect(w, r, strings.Replace("http://"+r.Host+"/elsewhere", "127.0.0.1", "localhost", 1), http.StatusTemporaryRedirect)
		default:
			answer(manifestType, image)(w, r)
		}
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	handler := server.Config.Handler
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			asked = append(asked, r.Header.Get("Authorization"))
			_, _ = w.Write(module)
			return
		}
		handler.ServeHTTP(w, r)
	})
	config := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(config, fmt.Appendf(nil, `{"auths":{%q:{"auth":"cm9ib3Q6c2VjcmV0"}}}`, host), 0o600); err != nil {
		t.Fatal(err)
	}
	ref := parseRef(t, host+"/a:1")
	got, err := registry.Pull(t.Context(), ref, &registry.Options{DockerConfig: config})
	if err != nil || !bytes.Equal(got.Module, module) || len(asked) != 1 || asked[0] != "" {
		t.Errorf("got %v, asked elsewhere with %q", err, asked)
	}
	_, err = registry.Pull(t.Context(), ref, &registry.Options{DockerConfig: filepath.Join(t.TempDir(), "none.json")})
	if err == nil || !strings.Contains(err.Error(), "plugin.load.fetch") || strings.Contains(err.Error(), "secret") {
		t.Errorf("without credentials: %v", err)
	}
}

// TestArchives takes images as Envoy's tools make them.
func TestArchives(t *testing.T) {
	archive := func(name string, size int) []byte {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
		files := tar.NewWriter(z)
		_ = files.WriteHeader(&tar.Header{Name: "runtime-config.json", Mode: 0o600, Size: 2})
		_, _ = files.Write([]byte("{}"))
		_ = files.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(size)})
		_, _ = files.Write(append(bytes.Clone(module), make([]byte, size-len(module))...))
		_, _ = files.Close(), z.Close()
		return b.Bytes()
	}
	for name, c := range map[string]struct {
		layer []byte
		want  string
	}{
		"plugin":         {archive("plugin.wasm", len(module)), ""},
		"none":           {archive("plugin.txt", len(module)), "no file in it ends in .wasm"},
		"a bomb":         {archive("plugin.wasm", 20<<20), "unexpected EOF"},
		"a cut off one":  {archive("plugin.wasm", len(module))[:40], "unexpected EOF"},
		"something else": {[]byte("text"), "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(fake{
				"GET /v2/a/manifests/1":              answer(manifestType, imageOf("application/vnd.docker.image.rootfs.diff.tar.gzip", digest(c.layer), len(c.layer))),
				"GET /v2/a/blobs/" + digest(c.layer): answer("", c.layer),
			})
			defer server.Close()
			got, err := registry.Pull(t.Context(), parseRef(t, strings.TrimPrefix(server.URL, "http://")+"/a:1"), nil)
			if c.want == "" && (err != nil || !bytes.Equal(got.Module, module) || got.Digest != digest(module)) {
				t.Errorf("got %v, %v", got, err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func digest(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }
