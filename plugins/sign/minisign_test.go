package sign_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/plugins/sign"
)

func readText(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func publicKey(t testing.TB, text string) *sign.MinisignKey {
	t.Helper()
	k, err := sign.ParseMinisign(text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestMinisignVectors checks what the tool wrote.
func TestMinisignVectors(t *testing.T) {
	hello := []byte(readText(t, "hello.txt"))
	for name, c := range map[string]struct{ key, signature, comment string }{
		"hashed":    {"minisign.pub", "hello.txt.minisig", "trusted x"},
		"legacy":    {"minisign.pub", "hello.txt.legacy.minisig", "legacy x"},
		"encrypted": {"encrypted.pub", "hello.txt.encrypted.minisig", "timestamp:1795342264\tfile:f\thashed"},
	} {
		t.Run(name, func(t *testing.T) {
			k, text := publicKey(t, readText(t, c.key)), readText(t, c.signature)
			for _, text := range []string{text, strings.ReplaceAll(text, "\n", "\r\n")} {
				if comment, err := k.Verify(hello, text); err != nil || comment != c.comment {
					t.Errorf("got %q, %v", comment, err)
				}
			}
			if id, comment, err := sign.Claimed(text); err != nil || id != k.ID() || comment != c.comment {
				t.Errorf("it claims %s, %q, %v", id, comment, err)
			}
			if _, _, err := sign.Claimed(text[:80]); err == nil {
				t.Error("half a signature claims something")
			}
			for what, changed := range map[string]struct{ data, text, want string }{
				"data":         {"hello!", text, "of something else"},
				"comment":      {string(hello), strings.Replace(text, c.comment, "x", 1), "comment behind the signature"},
				"untrusted":    {string(hello), strings.Replace(text, "untrusted comment: ", "", 1), "four lines"},
				"a line":       {string(hello), strings.Replace(text, "\n", "\n\nx\n", 1), "four lines"},
				"cut off":      {string(hello), text[:80], "four lines"},
				"no signature": {string(hello), "untrusted comment: \nQQ==\ntrusted comment: \nQQ==\n", "no signature"},
				"sort":         {string(hello), strings.Replace(text, "\nR", "\nS", 1), "unknown sort"},
				"empty":        {string(hello), "", "four lines"},
			} {
				if _, err := k.Verify([]byte(changed.data), changed.text); err == nil || !strings.Contains(err.Error(), changed.want) {
					t.Errorf("%s changed: got %v, want %q", what, err, changed.want)
				}
			}
		})
	}
	if _, err := publicKey(t, readText(t, "encrypted.pub")).Verify(hello, readText(t, "hello.txt.minisig")); err == nil || !strings.Contains(err.Error(), "of the key 7DC2B77F4CE3B762 and not of") {
		t.Errorf("another key: got %v", err)
	}
}

func TestMinisignKeys(t *testing.T) {
	k := publicKey(t, readText(t, "minisign.pub"))
	if again := publicKey(t, k.String()); again.ID() != "7DC2B77F4CE3B762" || string(k.Format()) != readText(t, "minisign.pub") {
		t.Errorf("got %s\n%s", again.ID(), k.Format())
	}
	for _, text := range []string{"", "RW", readText(t, "minisign.key"), k.String() + "\n" + k.String(), "RX" + k.String()[2:], k.String()[:40]} {
		if _, err := sign.ParseMinisign(text); err == nil {
			t.Errorf("%q is a public key", text)
		}
	}
	s, err := sign.ParseMinisignSecret(readText(t, "minisign.key"), nil)
	if err != nil || s.Public().String() != k.String() {
		t.Fatalf("got %v, %v", s, err)
	}
	data := []byte("some bytes")
	text, err := s.Sign(data, "a comment")
	if err != nil {
		t.Fatal(err)
	}
	if comment, err := k.Verify(data, string(text)); err != nil || comment != "a comment" {
		t.Errorf("got %q, %v", comment, err)
	}
	if _, err := s.Sign(data, "two\nlines"); err == nil {
		t.Error("a comment of two lines is signed")
	}
	if shown := fmt.Sprintf("%v %+v %#v %s", s, s, s, s); strings.Contains(shown, "0x") || strings.Count(shown, "secret key 7DC2B77F4CE3B762") != 4 {
		t.Errorf("shown as %s", shown)
	}
	if _, err := sign.ParseMinisignSecret(readText(t, "encrypted.key"), nil); !errors.Is(err, sign.ErrPassword) {
		t.Errorf("without a password: %v", err)
	}
	for _, text := range []string{"", readText(t, "minisign.pub"), strings.Replace(readText(t, "minisign.key"), "RWQAAEIy", "RWQxxEIy", 1)} {
		if _, err := sign.ParseMinisignSecret(text, nil); err == nil || strings.Contains(err.Error(), "yLfjTH") {
			t.Errorf("%.30q: got %v", text, err)
		}
	}
}

// TestMinisignEncrypted reads keys whose password costs little, as minisign takes
// them, too; the usual price is a gigabyte.
func TestMinisignEncrypted(t *testing.T) {
	s, err := sign.NewMinisignSecret(rand.NewChaCha8([32]byte{1}))
	if err != nil {
		t.Fatal(err)
	}
	for _, price := range [][2]uint64{{1 << 15, 1 << 20}, {1 << 16, 1 << 30}, {1 << 17, 1 << 20}} {
		file, err := sign.FormatAt(s, []byte("pw"), price[0], price[1])
		if err != nil {
			t.Fatal(err)
		}
		again, err := sign.ParseMinisignSecret(string(file), []byte("pw"))
		if err != nil || again.Public().String() != s.Public().String() {
			t.Errorf("%v: got %v, %v", price, again, err)
		}
		if _, err := sign.ParseMinisignSecret(string(file), []byte("px")); !errors.Is(err, sign.ErrWrongPassword) {
			t.Errorf("another password: %v", err)
		}
		if tool, err := exec.LookPath("minisign"); err == nil {
			checkWithTool(t, tool, s, file)
		} else {
			t.Log("minisign is not installed (Debian has a package of that name)")
		}
	}
	if _, err := sign.FormatAt(s, []byte("pw"), 1<<40, 1<<50); err == nil {
		t.Error("a price without bound is paid")
	}
}

// checkWithTool lets minisign sign with a key of ours, and check a signature of
// ours.
func checkWithTool(t *testing.T, tool string, s *sign.MinisignSecret, file []byte) {
	t.Helper()
	dir := t.TempDir()
	data := []byte("signed by both")
	ours, err := s.Sign(data, "by us")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"key": file, "pub": s.Public().Format(), "data": data, "data.minisig": ours} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) {
		cmd := exec.CommandContext(t.Context(), tool, args...)
		cmd.Dir, cmd.Stdin = dir, strings.NewReader("pw\n")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("minisign %q: %v\n%s", args, err, out)
		}
	}
	run("-V", "-p", "pub", "-m", "data")
	run("-S", "-s", "key", "-m", "data", "-x", "theirs", "-t", "by them")
	theirs, err := os.ReadFile(filepath.Join(dir, "theirs"))
	if err != nil {
		t.Fatal(err)
	}
	if comment, err := s.Public().Verify(data, string(theirs)); err != nil || comment != "by them" {
		t.Errorf("got %q, %v", comment, err)
	}
}

// FuzzMinisign: what is no signature of the key is refused, whatever it is.
func FuzzMinisign(f *testing.F) {
	k := publicKey(f, readText(f, "minisign.pub"))
	f.Add([]byte(readText(f, "hello.txt")), readText(f, "hello.txt.minisig"), k.String())
	f.Add([]byte("x"), readText(f, "hello.txt.legacy.minisig"), readText(f, "minisign.key"))
	hello := []byte(readText(f, "hello.txt"))
	f.Fuzz(func(t *testing.T, data []byte, signature, key string) {
		if _, err := k.Verify(data, signature); err == nil && !bytes.Equal(data, hello) {
			t.Errorf("%q has a signature", data)
		}
		if other, err := sign.ParseMinisign(key); err == nil && publicKey(t, other.String()).ID() != other.ID() {
			t.Errorf("%q is read again as another key", key)
		}
		_, _ = sign.ParseMinisignSecret(key, nil)
	})
}
