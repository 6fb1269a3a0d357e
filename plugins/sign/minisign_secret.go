package sign

import (
	"crypto/ed25519"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/scrypt"
)

// What a secret key that is encrypted may say of its password.
var (
	ErrPassword      = errors.New("the key is encrypted, and there is no password")
	ErrWrongPassword = errors.New("the password is not that of the key")
)

// A MinisignSecret is a secret key of minisign.
type MinisignSecret struct {
	id  [8]byte
	key ed25519.PrivateKey
}

// How a secret key's file says what it is: what it signs with, how the password
// becomes the key to the key, and how that is noticed to be wrong.
const (
	scryptMark = "Sc"
	noneMark   = "\x00\x00"
	sumMark    = "B2"
)

// secretSize is that of the part that a password covers: id, key, check sum.
const secretSize = 8 + ed25519.PrivateKeySize + blake2b.Size256

// The effort that a password costs: what minisign takes, and what is taken of
// files, which is twice that.
const (
	usualOps, usualMemory = 1 << 25, 1 << 30
	mostOps, mostMemory   = 1 << 26, 1 << 31
)

// ParseMinisignSecret reads a secret key's file. password is nil where there is
// none; when the file wants one, the error is [ErrPassword]. It takes seconds and
// a gigabyte to try one, as minisign made it.
func ParseMinisignSecret(text string, password []byte) (*MinisignSecret, error) {
	lines := nonEmpty(text)
	bad := errors.New("it is no secret key of minisign, which is a comment and a line that starts with RW")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], untrusted) {
		return nil, bad
	}
	data, err := base64.StdEncoding.DecodeString(lines[1])
	if err != nil || len(data) != 6+32+8+8+secretSize || string(data[:2]) != plainMark || string(data[4:6]) != sumMark {
		return nil, bad
	}
	kdf, salt, secret := string(data[2:4]), data[6:38], data[54:]
	switch {
	case kdf == noneMark:
		return newSecret(secret), nil
	case kdf != scryptMark:
		return nil, fmt.Errorf("it is encrypted in the unknown way %q", kdf)
	case password == nil:
		return nil, ErrPassword
	}
	ops, memory := binary.LittleEndian.Uint64(data[38:]), binary.LittleEndian.Uint64(data[46:])
	if err := cover(secret, password, salt, ops, memory); err != nil {
		return nil, err
	}
	s := newSecret(secret)
	if sum := s.sum(); subtle.ConstantTimeCompare(sum[:], secret[secretSize-len(sum):]) != 1 {
		return nil, ErrWrongPassword
	}
	return s, nil
}

func newSecret(text []byte) *MinisignSecret {
	return &MinisignSecret{[8]byte(text), append(ed25519.PrivateKey(nil), text[8:8+ed25519.PrivateKeySize]...)}
}

// sum is how a wrong password is noticed.
func (s *MinisignSecret) sum() [blake2b.Size256]byte {
	return blake2b.Sum256(append(append([]byte(plainMark), s.id[:]...), s.key...))
}

// cover encrypts or decrypts text in place.
func cover(text, password, salt []byte, ops, memory uint64) error {
	if ops > mostOps || memory > mostMemory {
		return fmt.Errorf("its password would cost %d operations and %d bytes, which is more than minisign asks for", ops, memory)
	}
	n, p := effort(ops, memory)
	stream, err := scrypt.Key(password, salt, n, 8, p, len(text))
	if err != nil {
		return err
	}
	subtle.XORBytes(text, text, stream)
	return nil
}

// effort is how libsodium's crypto_pwhash_scryptsalsa208sha256 picks the
// parameters of scrypt, whose r is always 8.
func effort(ops, memory uint64) (n, p int) {
	const r = 8
	ops = max(ops, 32768)
	most, few := memory/(r*128), ops < memory/32
	if few {
		most = ops / (r * 4)
	}
	n = 2
	for uint64(n) <= most/2 {
		n *= 2
	}
	if few {
		return n, 1
	}
	return n, max(1, int(ops/4/uint64(n)/r))
}

// NewMinisignSecret makes a key of 40 random bytes.
func NewMinisignSecret(random io.Reader) (*MinisignSecret, error) {
	var seed [8 + ed25519.SeedSize]byte
	if _, err := io.ReadFull(random, seed[:]); err != nil {
		return nil, err
	}
	return &MinisignSecret{[8]byte(seed[:]), ed25519.NewKeyFromSeed(seed[8:])}, nil
}

// Public returns the key by which others check.
func (s *MinisignSecret) Public() *MinisignKey {
	return &MinisignKey{s.id, s.key.Public().(ed25519.PublicKey)}
}

// String hides the key.
func (s *MinisignSecret) String() string { return "secret key " + idText(s.id) }

// GoString hides it from %#v, too.
func (s *MinisignSecret) GoString() string { return s.String() }

// Format returns the key as a file, encrypted with password unless that is nil.
// random gives the salt.
func (s *MinisignSecret) Format(password []byte, random io.Reader) ([]byte, error) {
	return s.format(password, random, usualOps, usualMemory)
}

func (s *MinisignSecret) format(password []byte, random io.Reader, ops, memory uint64) ([]byte, error) {
	sum := s.sum()
	secret := append(append(append([]byte(nil), s.id[:]...), s.key...), sum[:]...)
	salt, kdf := make([]byte, 32), noneMark
	if password == nil {
		ops, memory = 0, 0
	} else {
		kdf = scryptMark
		if _, err := io.ReadFull(random, salt); err != nil {
			return nil, err
		}
		if err := cover(secret, password, salt, ops, memory); err != nil {
			return nil, err
		}
	}
	data := append([]byte(plainMark+kdf+sumMark), salt...)
	data = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(data, ops), memory)
	return fmt.Appendf(nil, "%sminisign encrypted secret key\n%s\n", untrusted, base64.StdEncoding.EncodeToString(append(data, secret...))), nil
}

// Sign returns the text of a .minisig file for data. comment is signed with them;
// it is one line.
func (s *MinisignSecret) Sign(data []byte, comment string) ([]byte, error) {
	if strings.ContainsAny(comment, "\r\n") {
		return nil, errors.New("a comment of a signature is one line")
	}
	sig := &signature{mark: hashedMark, id: s.id, comment: comment}
	sig.text = ed25519.Sign(s.key, signed(hashedMark, data))
	sig.outer = ed25519.Sign(s.key, sig.covered())
	return sig.format("signature from minisign secret key"), nil
}
