package sign

import "math/rand/v2"

// FormatAt is Format with a password that costs less.
func FormatAt(s *MinisignSecret, password []byte, ops, memory uint64) ([]byte, error) {
	return s.format(password, rand.NewChaCha8([32]byte{2}), ops, memory)
}
