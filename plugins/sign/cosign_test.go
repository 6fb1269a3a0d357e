package sign_test

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/nacl/secretbox"
	"golang.org/x/crypto/scrypt"

	"github.com/twinrules/twinrules/plugins/sign"
)

// Keys for tests, made by openssl.
const (
	ecSecret = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgn43Me0wEA9+7H8cC
fvv3g7XVqXEeLvmCXAPkB0skPVihRANCAAQXWiOy9MJFK2ExItVgCxRj7XAYt+FG
Rz3EpAvynDo384fweAmR1tFlglVjNVpcN8iGxHCg0ihzz7UtGLs3Bs9h
-----END PRIVATE KEY-----
`
	ecPublic = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEF1ojsvTCRSthMSLVYAsUY+1wGLfh
Rkc9xKQL8pw6N/OH8HgJkdbRZYJVYzVaXDfIhsRwoNIoc8+1LRi7NwbPYQ==
-----END PUBLIC KEY-----
`
)

const manifest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func cosignKeys(t testing.TB) (*sign.CosignSecret, *sign.CosignKey) {
	t.Helper()
	s, err := sign.ParseCosignSecret(ecSecret, nil)
	if err != nil {
		t.Fatal(err)
	}
	k, err := sign.ParseCosign(ecPublic)
	if err != nil {
		t.Fatal(err)
	}
	return s, k
}

func TestCosign(t *testing.T) {
	s, k := cosignKeys(t)
	text, signature, err := s.Sign("registry.example/fleet/judge", manifest)
	if err != nil {
		t.Fatal(err)
	}
	// The text is cosign's own, byte for byte, since some compare it.
	want := `{"critical":{"identity":{"docker-reference":"registry.example/fleet/judge"},"image":{"docker-manifest-digest":"` + manifest + `"},"type":"cosign container image signature"},"optional":null}`
	if string(text) != want {
		t.Errorf("got %s", text)
	}
	if _, again, _ := s.Sign("registry.example/fleet/judge", manifest); again != signature {
		t.Error("signing again gives another signature")
	}
	if err := k.Verify(manifest, text, signature); err != nil {
		t.Error(err)
	}
	if string(k.Format()) != ecPublic || string(s.Public().Format()) != ecPublic {
		t.Errorf("got %s", k.Format())
	}
	other := strings.Replace(manifest, "0", "1", 1)
	_, foreign, _ := s.Sign("x", other)
	for name, c := range map[string]struct{ manifest, text, signature, want string }{
		"another image":     {other, want, signature, "and not of"},
		"another text":      {manifest, want + " ", signature, "not of this key"},
		"another signature": {manifest, want, foreign, "not of this key"},
		"no base64":         {manifest, want, "!", "base64"},
		"nothing":           {manifest, "", "", "not of this key"},
	} {
		if err := k.Verify(c.manifest, []byte(c.text), c.signature); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// TestCosignOpenssl lets openssl check a signature of ours.
func TestCosignOpenssl(t *testing.T) {
	tool, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	s, _ := cosignKeys(t)
	text, signature, err := s.Sign("x", manifest)
	if err != nil {
		t.Fatal(err)
	}
	der, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, data := range map[string][]byte{"text": text, "der": der, "pub": []byte(ecPublic)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), tool, "dgst", "-sha256", "-verify", "pub", "-signature", "der", "text")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// boxed encrypts a key as cosign does, at a price.
func boxed(t *testing.T, n int) string {
	t.Helper()
	block, _ := pem.Decode([]byte(ecSecret))
	var salt [32]byte
	var nonce [24]byte
	_, _ = rand.Read(salt[:])
	key, err := scrypt.Key([]byte("pw"), salt[:], n, 8, 1, 32)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(map[string]any{
		"kdf":        map[string]any{"name": "scrypt", "params": map[string]any{"N": n, "r": 8, "p": 1}, "salt": salt[:]},
		"cipher":     map[string]any{"name": "nacl/secretbox", "nonce": nonce[:]},
		"ciphertext": secretbox.Seal(nil, block.Bytes, &nonce, (*[32]byte)(key)),
	})
	return string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED SIGSTORE PRIVATE KEY", Bytes: text}))
}

func TestCosignSecrets(t *testing.T) {
	file := boxed(t, 1<<10)
	s, err := sign.ParseCosignSecret(file, []byte("pw"))
	if err != nil || string(s.Public().Format()) != ecPublic {
		t.Errorf("got %v, %v", s, err)
	}
	if _, err := sign.ParseCosignSecret(file, nil); !errors.Is(err, sign.ErrPassword) {
		t.Errorf("without a password: %v", err)
	}
	if _, err := sign.ParseCosignSecret(file, []byte("px")); !errors.Is(err, sign.ErrWrongPassword) {
		t.Errorf("another password: %v", err)
	}
	expensive := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED COSIGN PRIVATE KEY", Bytes: []byte(
		`{"kdf":{"name":"scrypt","params":{"N":1073741824,"r":8,"p":1}},"cipher":{"name":"nacl/secretbox","nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}`)})
	for name, text := range map[string]string{
		"nothing": "", "a public key": ecPublic, "noise": strings.Replace(ecSecret, "M", "A", 2), "a price without bound": string(expensive),
		"an empty box": string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED COSIGN PRIVATE KEY", Bytes: []byte("{}")})),
	} {
		if _, err := sign.ParseCosignSecret(text, []byte("pw")); err == nil {
			t.Errorf("%s is a secret key", name)
		}
	}
	if shown := fmt.Sprintf("%v %+v %#v", s, s, s); shown != "secret key secret key secret key" {
		t.Errorf("shown as %s", shown)
	}
	for name, text := range map[string]string{"a secret key": ecSecret, "nothing": "", "noise": strings.Replace(ecPublic, "MF", "MG", 1)} {
		if _, err := sign.ParseCosign(text); err == nil {
			t.Errorf("%s is a public key", name)
		}
	}
}

// FuzzCosign: nothing that is read panics, and no other text has the signature.
func FuzzCosign(f *testing.F) {
	s, k := cosignKeys(f)
	text, signature, err := s.Sign("x", manifest)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text, signature, ecPublic)
	f.Add([]byte("{}"), "MAYCAQECAQE=", ecSecret)
	sum := sha256.Sum256(text)
	f.Fuzz(func(t *testing.T, other []byte, signature, key string) {
		if k.Verify(manifest, other, signature) == nil && sha256.Sum256(other) != sum {
			t.Errorf("%q has a signature", other)
		}
		if again, err := sign.ParseCosign(key); err == nil {
			if _, err := x509.ParsePKIXPublicKey(mustPEM(t, again)); err != nil {
				t.Error(err)
			}
		}
		_, _ = sign.ParseCosignSecret(key, nil)
	})
}

func mustPEM(t *testing.T, k *sign.CosignKey) []byte {
	block, _ := pem.Decode(k.Format())
	if block == nil {
		t.Fatal("it is not in PEM")
	}
	return block.Bytes
}
