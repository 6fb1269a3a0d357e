package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"golang.org/x/term"

	"github.com/twinrules/twinrules/plugins/sign"
)

// passwordVariable holds the password of a secret key. COSIGN_PASSWORD does, too,
// for keys of cosign, since that is where cosign looks.
const passwordVariable = "TWINRULES_SIGN_PASSWORD"

// isPEM tells keys of cosign from those of minisign.
func isPEM(text string) bool { return strings.Contains(text, "-----BEGIN ") }

// maxKey is how much of a key's file is read, in bytes.
const maxKey = 16 << 10

// readKey reads a key's file.
func readKey(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxKey))
	return string(text), err
}

// readSecret reads a secret key's file with parse, which is asked again with the
// password when it wants one. Others should not be able to read the file.
func readSecret[K any](env *environment, path string, parse func(text string, password []byte) (K, error)) (key K, err error) {
	text, err := readKey(path)
	if err != nil {
		return key, err
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		fmt.Fprintf(env.stderr, "twinrules: others may read %s: chmod 600 changes that\n", path)
	}
	key, err = parse(text, nil)
	if errors.Is(err, sign.ErrPassword) {
		var password []byte
		if password, err = env.password(path); err == nil {
			key, err = parse(text, password)
		}
	}
	if err != nil {
		return key, fmt.Errorf("read key %s: %w", path, err)
	}
	return key, nil
}

// password returns the password of a key, out of a variable or from the terminal.
func (env *environment) password(path string) ([]byte, error) {
	for _, name := range []string{passwordVariable, "COSIGN_PASSWORD"} {
		if p, ok := env.lookup(name); ok {
			return []byte(p), nil
		}
	}
	in, ok := env.stdin.(*os.File)
	if !ok || !env.stdinTerminal {
		return nil, fmt.Errorf("%w: set %s", sign.ErrPassword, passwordVariable)
	}
	fmt.Fprintf(env.stderr, "password of %s: ", path)
	defer fmt.Fprintln(env.stderr)
	return term.ReadPassword(int(in.Fd()))
}

// newKey makes a key of minisign, whose secret goes to path and whose public half
// to path.pub. It writes over nothing.
func (env *environment) newKey(path string, plain bool) error {
	var password []byte
	if !plain {
		var err error
		if password, err = env.password(path); err != nil {
			return fmt.Errorf("%w, or give --no-password", err)
		}
	}
	key, err := sign.NewMinisignSecret(rand.Reader)
	if err != nil {
		return err
	}
	secret, err := key.Format(password, rand.Reader)
	if err != nil {
		return err
	}
	if err := writeNew(path, secret, 0o600); err != nil {
		return err
	}
	if err := writeNew(path+".pub", key.Public().Format(), 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.stdout, "verify: {minisign: [%s]}\n", key.Public())
	return err
}

// writeNew writes a file that is not there yet.
func writeNew(path string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
