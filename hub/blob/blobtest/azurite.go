// Package blobtest runs a real blob service for tests: Azurite, Microsoft's own
// emulator of Azure storage, over TLS and with tokens of Entra.
//
// Start with [Start].
package blobtest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// NodeModules is the variable with the folder into which npm has installed
// azurite; tests that need it skip when it is not set.
const NodeModules = "TWINRULES_TEST_NODE_MODULES"

// An Account is a storage account on loopback.
type Account struct {
	URL    string // such as https://127.0.0.1:40001/devstoreaccount1
	CA     []byte // the certificate to trust, in PEM
	CAFile string // the same in a file
}

// Start runs an account with an empty container of each name until the test
// ends. token is asked for one for https://storage.azure.com.
func Start(t testing.TB, token func(context.Context) (string, error), containers ...string) *Account {
	t.Helper()
	modules := os.Getenv(NodeModules)
	if modules == "" {
		t.Skip(NodeModules + " is not set: Azurite is not installed")
	}
	dir := t.TempDir()
	a := &Account{CAFile: filepath.Join(dir, "cert.pem")}
	a.CA = certificate(t, a.CAFile, filepath.Join(dir, "key.pem"))
	a.URL = a.run(t, dir, filepath.Join(modules, "azurite", "dist", "src", "blob", "main.js"))
	for _, name := range containers {
		a.create(t, token, name)
	}
	return a
}

// CertPool returns the certificate to trust.
func (a *Account) CertPool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(a.CA)
	return pool
}

// certificate makes one for loopback.
func certificate(t testing.TB, certFile, keyFile string) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "azurite"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
	write(t, certFile, cert)
	write(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	return cert
}

func write(t testing.TB, file string, data []byte) {
	t.Helper()
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// run starts Azurite and returns where it listens, as it says.
func (a *Account) run(t testing.TB, dir, script string) string {
	t.Helper()
	cmd := exec.Command("node", script, "--blobHost", "127.0.0.1", "--blobPort", "0", "--oauth", "basic",
		"--cert", a.CAFile, "--key", filepath.Join(dir, "key.pem"), "--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck")
	cmd.Dir = dir
	said := &listener{found: make(chan string, 1)}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	select {
	case address := <-said.found:
		return address + "/devstoreaccount1"
	case err := <-ended:
		ended <- err
		t.Fatalf("Azurite ended (%v): %s", err, said.text.String())
	case <-time.After(time.Minute):
		t.Fatalf("Azurite does not start: %s", said.text.String())
	}
	return ""
}

// A listener waits for the line that says where Azurite listens.
type listener struct {
	text  bytes.Buffer
	found chan string
}

func (l *listener) Write(p []byte) (int, error) {
	l.text.Write(p)
	_, rest, ok := strings.Cut(l.text.String(), "successfully listens on ")
	if address, _, whole := strings.Cut(rest, "\n"); ok && whole {
		select {
		case l.found <- strings.TrimSpace(address):
		default:
		}
	}
	return len(p), nil
}

func (a *Account) create(t testing.TB, token func(context.Context) (string, error), name string) {
	t.Helper()
	bearer, err := token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, a.URL+"/"+name+"?restype=container", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	req.Header.Set("x-ms-version", "2021-12-02")
	client := &http.Client{Transport: trusting(a.CertPool())}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("create container %s: %s %s", name, resp.Status, resp.Header.Get("x-ms-error-code"))
	}
}

func trusting(pool *x509.CertPool) *http.Transport {
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
}
