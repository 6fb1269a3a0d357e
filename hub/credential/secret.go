package credential

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const redacted = "[redacted]"

// A Secret is a text that does not show itself when printed, logged or encoded,
// even as an unexported field of something else.
type Secret struct{ reveal func() string }

// NewSecret returns s without white space around it: files and variables often
// bring a newline, which would make any secret a wrong one.
func NewSecret(s string) Secret {
	s = strings.TrimSpace(s)
	return Secret{func() string { return s }}
}

// Reveal returns the secret itself, "" for the zero Secret.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

func (Secret) String() string               { return redacted }
func (Secret) GoString() string             { return redacted }
func (Secret) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, redacted) }
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
func (Secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
