package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
)

// populationsSchema names the form of the file.
const populationsSchema = "twinrules/populations/v1"

// populations is what one pass over a hub saw of a pack's rules.
type populations struct {
	Schema string         `json:"schema"`
	Hub    string         `json:"hub"`
	Pack   string         `json:"pack"`
	Rules  map[string]int `json:"rules"` // twins that each selected
}

// Populations reads how many twins each rule of a pack selected on hub in the
// last pass that [SavePopulations] noted at path; nil when there is none.
func Populations(path, hub, pack string) (map[string]int, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var p populations
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err == nil && (p.Schema != populationsSchema || p.Hub != hub || p.Pack != pack) {
		err = errors.New("it is not what this version wrote for this hub and pack")
	}
	if err != nil {
		return nil, fmt.Errorf("read populations %s: %w", path, err)
	}
	return p.Rules, nil
}

// SavePopulations notes at path the populations that a plan was computed with, in
// one step. Those of rules whose population shrank too much stay as they were
// noted before, so that the next pass is stopped, too; so does everything where
// twins are missing.
func SavePopulations(path string, p *engine.Plan, last map[string]int) error {
	if !p.Fleet.Complete {
		return nil
	}
	next := populations{populationsSchema, p.Hub, p.Pack.Name, map[string]int{}}
	for _, r := range p.Rules {
		next.Rules[r.Rule] = r.Population
	}
	for _, b := range p.Breaches {
		if b.Last > 0 {
			next.Rules[b.Rule] = last[b.Rule]
		}
	}
	if err := replace(path, append(twin.Encode(next), '\n')); err != nil {
		return fmt.Errorf("note populations: %w", err)
	}
	return nil
}

// replace writes a file in one step: a reader finds it whole, old or new.
func replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // does nothing once it has been renamed
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
