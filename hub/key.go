package hub

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// A Key is a secret of an identity or a policy, in base64. It does not show
// itself when it is printed, logged or encoded; the hub is sent what it is.
type Key struct{ reveal func() string }

// NewKey returns the key that is spelled s.
func NewKey(s string) Key { return Key{func() string { return s }} }

// Reveal returns the key's spelling, "" for the zero Key.
func (k Key) Reveal() string {
	if k.reveal == nil {
		return ""
	}
	return k.reveal()
}

func (Key) String() string               { return redacted }
func (Key) GoString() string             { return redacted }
func (Key) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, redacted) }
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (Key) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
func (Key) LogValue() slog.Value         { return slog.StringValue(redacted) }
