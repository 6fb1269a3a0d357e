package sign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/nacl/secretbox"
	"golang.org/x/crypto/scrypt"
)

// A CosignSecret is a secret key of cosign.
type CosignSecret struct{ key *ecdsa.PrivateKey }

// ParseCosignSecret reads a cosign.key, which is encrypted, or a key of ECDSA in
// PEM as openssl writes it. When the file wants a password and password is nil,
// the error is [ErrPassword].
func ParseCosignSecret(text string, password []byte) (*CosignSecret, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("it is no secret key in PEM, as cosign.key is")
	}
	der := block.Bytes
	switch block.Type {
	case "ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY":
		var err error
		if der, err = openBox(block.Bytes, password); err != nil {
			return nil, err
		}
	case "EC PRIVATE KEY":
		key, err := x509.ParseECPrivateKey(der)
		return newCosignSecret(key, err)
	case "PRIVATE KEY":
	default:
		return nil, fmt.Errorf("a %s is no secret key of cosign", strings.ToLower(block.Type))
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	return newCosignSecret(key, err)
}

func newCosignSecret(parsed any, err error) (*CosignSecret, error) {
	key, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("it is no key of ECDSA on the curve P-256, which cosign makes")
	}
	return &CosignSecret{key}, nil
}

// A box is how cosign encrypts a key.
type box struct {
	KDF struct {
		Name   string `json:"name"`
		Params struct {
			N, R, P int
		} `json:"params"`
		Salt []byte `json:"salt"`
	} `json:"kdf"`
	Cipher struct {
		Name  string `json:"name"`
		Nonce []byte `json:"nonce"`
	} `json:"cipher"`
	Text []byte `json:"ciphertext"`
}

// openBox decrypts a box. Its effort is bounded by sixteen times that of cosign.
func openBox(text, password []byte) ([]byte, error) {
	var b box
	if err := json.Unmarshal(text, &b); err != nil {
		return nil, errors.New("the encrypted key is not as cosign writes it")
	}
	params := b.KDF.Params
	switch {
	case b.KDF.Name != "scrypt" || b.Cipher.Name != "nacl/secretbox" || len(b.Cipher.Nonce) != 24:
		return nil, fmt.Errorf("it is encrypted in the unknown way %.40q, %.40q", b.KDF.Name, b.Cipher.Name)
	case params.N > 1<<20 || params.R > 8 || params.P > 1:
		return nil, errors.New("its password would cost more than cosign asks for")
	case password == nil:
		return nil, ErrPassword
	}
	key, err := scrypt.Key(password, b.KDF.Salt, params.N, params.R, params.P, 32)
	if err != nil {
		return nil, err
	}
	plain, ok := secretbox.Open(nil, b.Text, (*[24]byte)(b.Cipher.Nonce), (*[32]byte)(key))
	if !ok {
		return nil, ErrWrongPassword
	}
	return plain, nil
}

// Public returns the key by which others check.
func (s *CosignSecret) Public() *CosignKey { return &CosignKey{&s.key.PublicKey} }

// String hides the key.
func (s *CosignSecret) String() string { return "secret key" }

// GoString hides it from %#v, too.
func (s *CosignSecret) GoString() string { return s.String() }

// Sign signs the image called name, such as registry.example/fleet/judge, whose manifest
// has the digest. It returns what was signed, and the signature in base64, the
// same for the same image.
func (s *CosignSecret) Sign(name, manifest string) (text []byte, signature string, err error) {
	var p payload
	p.Critical.Identity.Reference, p.Critical.Image.Manifest, p.Critical.Type = name, manifest, payloadType
	if text, err = json.Marshal(p); err != nil {
		return nil, "", err
	}
	sum := sha256.Sum256(text)
	der, err := s.key.Sign(nil, sum[:], crypto.SHA256) // without chance: RFC 6979
	return text, base64.StdEncoding.EncodeToString(der), err
}
