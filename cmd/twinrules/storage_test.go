package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/twinrules/twinrules/hub/emulator"
)

// A storageServer shows the folders of an emulated hub as a storage account does,
// over TLS to who has a token for storage: what the hub exports, the command reads.
// It stands in for Azurite where there is no Node.
//
// Of its containers the hub may not write to "foreign", and the runner may not
// read from "closed".
type storageServer struct {
	*httptest.Server
	dir string
}

func newStorageServer(dir string) *storageServer {
	s := &storageServer{dir: dir}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(s.serve))
	return s
}

// container returns the URL of a container.
func (s *storageServer) container(name string) string { return s.URL + "/account/" + name }

// containers opens them for the hub.
func (s *storageServer) containers() func(context.Context, *emulator.ContainerAddress) (emulator.Container, error) {
	open := emulator.Folders(s.dir)
	return func(ctx context.Context, at *emulator.ContainerAddress) (emulator.Container, error) {
		if strings.HasSuffix(at.URI, "/foreign") {
			return nil, errors.New("no role")
		}
		return open(ctx, at)
	}
}

func (s *storageServer) serve(w http.ResponseWriter, r *http.Request) {
	if audience(r.Header.Get("Authorization")) != "https://storage.azure.com" || strings.Contains(r.URL.Path, "/closed/") {
		w.Header().Set("x-ms-error-code", "AuthorizationPermissionMismatch")
		w.WriteHeader(http.StatusForbidden)
		return
	}
	path := filepath.Join(s.dir, strings.ReplaceAll(r.Host, ":", "_"), filepath.FromSlash(r.URL.Path))
	info, err := os.Stat(path)
	if err != nil {
		w.Header().Set("x-ms-error-code", "BlobNotFound")
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("ETag", `"`+info.ModTime().Format(time.RFC3339Nano)+`"`)
	http.ServeFile(w, r, path)
}

// audience returns whom a token is for.
func audience(header string) string {
	parts := strings.Split(strings.TrimPrefix(header, "Bearer "), ".")
	if len(parts) != 3 {
		return ""
	}
	var claims struct{ Aud string }
	text, _ := base64.RawURLEncoding.DecodeString(parts[1])
	_ = json.Unmarshal(text, &claims) // a token that is none is for nobody
	return claims.Aud
}

// trust adds the server's certificate to a file of those to trust.
func (s *storageServer) trust(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	return os.WriteFile(file, append(text, own...), 0o644)
}
