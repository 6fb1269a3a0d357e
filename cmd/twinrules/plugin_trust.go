package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/sign"
	"github.com/twinrules/twinrules/rules"
)

// minisigEnding is how the file with a module's signature is called.
const minisigEnding = ".minisig"

// trust checks that the module called name has the signatures that are wanted. Its
// error has a code.
func trust(name string, v rules.Verify, module []byte, p proof) error {
	err := errors.Join(
		anyKey(v.Minisign, func(key string) error { return trustMinisign(key, module, p) }),
		anyKey(v.Cosign, func(key string) error { return trustCosign(key, module, p) }),
	)
	if err != nil {
		return &plugins.Error{Code: plugins.LoadSignature, Plugin: name, Err: err}
	}
	return nil
}

// anyKey returns nil when check finds one key right, or there are none.
func anyKey(keys []string, check func(key string) error) error {
	var errs []error
	for _, key := range keys {
		err := check(key)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func trustMinisign(text string, module []byte, p proof) error {
	key, err := sign.ParseMinisign(text)
	if err != nil {
		return fmt.Errorf("verify.minisign: %w", err)
	}
	if p.Minisign == "" {
		return errors.New("there is no signature of minisign")
	}
	_, err = key.Verify(module, p.Minisign)
	return err
}

// trustCosign follows the signature to the manifest of the image, and that to the
// module.
func trustCosign(text string, module []byte, p proof) error {
	key, err := sign.ParseCosign(text)
	if err != nil {
		return fmt.Errorf("verify.cosign: %w", err)
	}
	if len(p.Cosign) == 0 {
		return errors.New("there is no signature of cosign")
	}
	if err := names(p.Manifest, module); err != nil {
		return err
	}
	var errs []error
	for _, s := range p.Cosign {
		err := key.Verify(digestOf(p.Manifest), s.Payload, s.Signature)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// names checks that the manifest of an image is that of a module as it is. One that
// was unpacked from a layer cannot be told from another any more.
func names(manifest, module []byte) error {
	var m struct {
		Layers []struct {
			Digest string `json:"digest"`
		} `json:"layers"`
	}
	if err := json.Unmarshal(manifest, &m); err != nil || len(m.Layers) != 1 || m.Layers[0].Digest != digestOf(module) {
		return errors.New("the image that was signed does not hold the module as it is: push it with twinrules plugin push")
	}
	return nil
}

// signatureBeside returns the signature of minisign that stands beside a file of a
// pack, "" when there is none.
func signatureBeside(fsys fs.FS, path string) (string, error) {
	f, err := fsys.Open(path + minisigEnding)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 4<<10))
	return string(text), err
}
