package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// populationsSchema names the form of the file.
const populationsSchema = "twinrules/populations/v1"

// populations is what passes over a hub saw of a pack's rules.
type populations struct {
	Schema string                `json:"schema"`
	Hub    string                `json:"hub"`
	Pack   string                `json:"pack"`
	Rules  map[string]population `json:"rules"`
}

// A population is how many twins a rule selected, and by what.
type population struct {
	Twins int    `json:"twins"`
	Who   string `json:"who"`
}

// Populations reads how many twins each rule of a pack selected on hub in the
// last pass that [SavePopulations] noted at path; nil when there is none. A rule
// that selects by other means than then has no last pass.
func Populations(path, hub string, pack *rules.Pack) (map[string]int, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var p populations
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err == nil && (p.Schema != populationsSchema || p.Hub != hub || p.Pack != pack.Name) {
		err = errors.New("it is not what this version wrote for this hub and pack")
	}
	if err != nil {
		return nil, fmt.Errorf("read populations %s: %w", path, err)
	}
	last := map[string]int{}
	for _, r := range pack.Rules {
		if was, known := p.Rules[r.ID]; known && was.Who == who(pack, r) {
			last[r.ID] = was.Twins
		}
	}
	return last, nil
}

// who says by what a rule selects its twins.
func who(pack *rules.Pack, r *rules.Rule) string {
	text := r.On.String() + " " + r.Selector
	if strings.Contains(r.Selector, "vars") {
		text += " " + string(twin.Encode(pack.Vars))
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// SavePopulations notes at path the populations that a plan of pack was computed
// with, in one step, where last is what [Populations] returned. Those that shrank
// too much stay as they were noted before, so that the next pass is stopped, too,
// until the rule's maxShrink says that it may go on. Where twins are missing
// nothing is noted.
func SavePopulations(path string, p *engine.Plan, pack *rules.Pack, last map[string]int) error {
	if !p.Fleet.Complete {
		return nil
	}
	next := populations{populationsSchema, p.Hub, pack.Name, map[string]population{}}
	for i, r := range pack.Rules {
		n := p.Rules[i].Population
		if was := last[r.ID]; r.Limits.Shrunk(n, was) {
			n = was
		}
		next.Rules[r.ID] = population{n, who(pack, r)}
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
