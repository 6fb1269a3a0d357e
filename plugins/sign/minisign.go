package sign

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/blake2b"
)

// A MinisignKey is a public key of minisign.
type MinisignKey struct {
	id  [8]byte
	key ed25519.PublicKey
}

// How minisign marks what was signed: the data, or their BLAKE2b-512 hash, which
// is what it does since version 0.8.
const (
	plainMark  = "Ed"
	hashedMark = "ED"
)

// The comments before and behind a signature.
const (
	untrusted = "untrusted comment: "
	trusted   = "trusted comment: "
)

// ParseMinisign reads a public key: the file, or only the line of it that starts
// with RW.
func ParseMinisign(text string) (*MinisignKey, error) {
	lines := nonEmpty(text)
	if len(lines) == 2 && strings.HasPrefix(lines[0], untrusted) {
		lines = lines[1:]
	}
	if len(lines) != 1 {
		return nil, errors.New("a public key of minisign is one line, with a comment before it or not")
	}
	data, err := base64.StdEncoding.DecodeString(lines[0])
	if err != nil || len(data) != 2+8+ed25519.PublicKeySize || string(data[:2]) != plainMark {
		return nil, errors.New("it is no public key of minisign, which has 56 characters and starts with RW")
	}
	return &MinisignKey{[8]byte(data[2:10]), data[10:]}, nil
}

func nonEmpty(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// ID returns the short name of the key, as minisign shows it.
func (k *MinisignKey) ID() string { return idText(k.id) }

func idText(id [8]byte) string { return fmt.Sprintf("%016X", binary.LittleEndian.Uint64(id[:])) }

// String returns the line that [ParseMinisign] reads.
func (k *MinisignKey) String() string {
	return base64.StdEncoding.EncodeToString(append(append([]byte(plainMark), k.id[:]...), k.key...))
}

// Format returns the key as a file.
func (k *MinisignKey) Format() []byte {
	return fmt.Appendf(nil, "%sminisign public key %s\n%s\n", untrusted, k.ID(), k)
}

// A signature is what stands in a .minisig file.
type signature struct {
	mark    string
	id      [8]byte
	text    []byte // of the data
	comment string // trusted
	outer   []byte // of text and comment
}

func parseSignature(text string) (*signature, error) {
	lines := nonEmpty(text)
	if len(lines) != 4 || !strings.HasPrefix(lines[0], untrusted) || !strings.HasPrefix(lines[2], trusted) {
		return nil, errors.New("a signature of minisign has four lines, with comments in the first and the third")
	}
	inner, err1 := base64.StdEncoding.DecodeString(lines[1])
	outer, err2 := base64.StdEncoding.DecodeString(lines[3])
	if err1 != nil || err2 != nil || len(inner) != 2+8+ed25519.SignatureSize || len(outer) != ed25519.SignatureSize {
		return nil, errors.New("it is no signature of minisign")
	}
	return &signature{string(inner[:2]), [8]byte(inner[2:10]), inner[10:], strings.TrimPrefix(lines[2], trusted), outer}, nil
}

func (s *signature) format(comment string) []byte {
	inner := append(append([]byte(s.mark), s.id[:]...), s.text...)
	return fmt.Appendf(nil, "%s%s\n%s\n%s%s\n%s\n", untrusted, comment, base64.StdEncoding.EncodeToString(inner),
		trusted, s.comment, base64.StdEncoding.EncodeToString(s.outer))
}

// Claimed returns the short name of the key that the text of a signature says it is of,
// and its trusted comment. It checks neither: see [MinisignKey.Verify].
func Claimed(text string) (id, comment string, err error) {
	s, err := parseSignature(text)
	if err != nil {
		return "", "", err
	}
	return idText(s.id), s.comment, nil
}

// Verify returns the trusted comment of a signature, the text of a .minisig file,
// when k made it of data. It takes both ways of signing.
func (k *MinisignKey) Verify(data []byte, text string) (comment string, err error) {
	s, err := parseSignature(text)
	switch {
	case err != nil:
		return "", err
	case s.id != k.id:
		return "", fmt.Errorf("the signature is of the key %s and not of %s", idText(s.id), k.ID())
	case s.mark != plainMark && s.mark != hashedMark:
		return "", fmt.Errorf("the signature is of the unknown sort %q", s.mark)
	case !ed25519.Verify(k.key, signed(s.mark, data), s.text):
		return "", fmt.Errorf("the signature of the key %s is of something else", k.ID())
	case !ed25519.Verify(k.key, s.covered(), s.outer):
		return "", fmt.Errorf("the comment behind the signature of the key %s was changed", k.ID())
	}
	return s.comment, nil
}

// signed returns the bytes that are signed for data.
func signed(mark string, data []byte) []byte {
	if mark == plainMark {
		return data
	}
	sum := blake2b.Sum512(data)
	return sum[:]
}

// covered returns what the outer signature is of.
func (s *signature) covered() []byte { return append(s.text[:len(s.text):len(s.text)], s.comment...) }
