package snapshot

import (
	"bytes"
	"testing"
)

// A label that is taken is one that would be written, and bounded.
func FuzzLabel(f *testing.F) {
	f.Add(label{100, 200, 3}.append(nil))
	f.Add(label{maxPacked, maxFrame, 1}.append(nil))
	f.Add(label{maxPacked + 1, 1, 1}.append(nil))
	f.Add(label{1, 1, 2}.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) != labelSize {
			return
		}
		l, err := parseLabel(b)
		if err == nil && (!bytes.Equal(l.append(nil), b) || l.packed > maxPacked || l.size > maxFrame || l.lines > l.size || l.lines < 1) {
			t.Errorf("%x is taken as %+v", b, l)
		}
	})
}
