package sign

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
)

// A CosignKey is a public key of cosign: ECDSA on the curve P-256.
type CosignKey struct{ key *ecdsa.PublicKey }

// ParseCosign reads a cosign.pub, in PEM.
func ParseCosign(text string) (*CosignKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, errors.New("it is no public key in PEM, as cosign.pub is")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	key, ok := parsed.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("it is no key of ECDSA on the curve P-256, which cosign makes")
	}
	return &CosignKey{key}, nil
}

// Format returns the key as a file.
func (k *CosignKey) Format() []byte {
	der, err := x509.MarshalPKIXPublicKey(k.key)
	if err != nil {
		panic(err) // every key on P-256 can be written
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// A payload is what cosign signs of an image: the digest of its manifest. The name
// of the image is not checked, by cosign neither, so that images may be copied
// with their signatures.
type payload struct {
	Critical struct {
		Identity struct {
			Reference string `json:"docker-reference"`
		} `json:"identity"`
		Image struct {
			Manifest string `json:"docker-manifest-digest"`
		} `json:"image"`
		Type string `json:"type"`
	} `json:"critical"`
	Optional map[string]any `json:"optional"`
}

const payloadType = "cosign container image signature"

// Verify checks that k signed text, and that it is about the manifest with the
// digest. signature is in base64.
func (k *CosignKey) Verify(manifest string, text []byte, signature string) error {
	der, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return errors.New("the signature is not in base64")
	}
	sum := sha256.Sum256(text)
	if !ecdsa.VerifyASN1(k.key, sum[:], der) {
		return errors.New("the signature is not of this key")
	}
	var p payload
	if err := json.Unmarshal(text, &p); err != nil {
		return fmt.Errorf("what was signed is no JSON: %w", err)
	}
	if p.Critical.Type != payloadType || p.Critical.Image.Manifest != manifest {
		return fmt.Errorf("the signature is of %q and not of %s", p.Critical.Image.Manifest, manifest)
	}
	return nil
}
