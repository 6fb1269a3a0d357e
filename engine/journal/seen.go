package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/twinrules/twinrules/engine"
)

// Seen reads what [SaveSeen] noted at path, and what has seen nothing when there is
// no such file. Without what was seen a pass takes longer and is not wrong: who
// gets an error may go on with a zero [engine.Seen], which takes the place of a
// file that is torn, altered or of another version.
func Seen(path string) (*engine.Seen, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return &engine.Seen{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what was seen: %w", err)
	}
	defer f.Close()
	s, err := engine.ReadSeen(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// SaveSeen notes at path what passes saw, in one step.
func SaveSeen(path string, s *engine.Seen) error {
	var b bytes.Buffer
	if err := engine.WriteSeen(&b, s); err != nil {
		return err
	}
	if err := replace(path, b.Bytes()); err != nil {
		return fmt.Errorf("note what was seen: %w", err)
	}
	return nil
}
