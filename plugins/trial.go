package plugins

import (
	"context"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Trial says in what an instance differs from one that judges for a rule, so
// that a test can find out what a plugin relies on.
type Trial struct {
	Whole     bool // it is given the whole twin, whatever its manifest declares to read
	Remembers bool // its memory is not put back between calls
}

// Try is [Module.Instance] for a test. An instance that remembers serves one call
// at a time.
func (m *Module) Try(ctx context.Context, config twin.Object, t Trial) (*Instance, error) {
	i, err := m.Instance(ctx, config)
	if err != nil {
		return nil, err
	}
	if t.Whole {
		i.view = newView(nil)
	}
	i.remembers = t.Remembers
	return i, nil
}

// Limits returns the fuel that a call of the module gets and the bytes of memory
// that an instance may have: the host's, lowered by the manifest.
func (m *Module) Limits() (fuel, memory int64) { return m.options.Fuel, m.options.Memory }
