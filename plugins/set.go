package plugins

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

var _ rules.Plugins = (*Set)(nil)

// A Set makes the plugins that a pack names. It loads each module once, when a
// rule first asks for it, and is safe for concurrent use.
type Set struct {
	host *Host
	read func(ctx context.Context, name string) ([]byte, error)

	mu      sync.Mutex
	entries map[string]*entry
}

type entry struct {
	once   sync.Once
	module *Module
	err    error
}

// NewSet returns the set of the plugins that read knows. read returns the bytes
// of the module that the pack calls name, having made sure that they are the
// right ones, or says why it has none; an [*Error] gets the name.
func NewSet(host *Host, read func(ctx context.Context, name string) ([]byte, error)) *Set {
	return &Set{host: host, read: read, entries: map[string]*entry{}}
}

// Module returns the module called name. An error stays: it is not tried again.
func (s *Set) Module(ctx context.Context, name string) (*Module, error) {
	s.mu.Lock()
	e := s.entries[name]
	if e == nil {
		e = &entry{}
		s.entries[name] = e
	}
	s.mu.Unlock()
	e.once.Do(func() {
		binary, err := s.read(ctx, name)
		if failed, ok := errors.AsType[*Error](err); ok {
			failed.Plugin, e.err = name, failed
			return
		}
		if err != nil {
			e.err = fmt.Errorf("read plugin %s: %w", name, err)
			return
		}
		e.module, e.err = s.host.Load(ctx, name, binary)
	})
	return e.module, e.err
}

// Instance returns the plugin that r uses with its configuration. Failures say that
// they are of r.
func (s *Set) Instance(ctx context.Context, r *rules.Rule, config twin.Object) (rules.Plugin, error) {
	m, err := s.Module(ctx, r.Plugin.Use)
	if err != nil {
		return nil, err
	}
	i, err := m.Instance(ctx, config)
	if failed, ok := errors.AsType[*Error](err); ok {
		failed.Rule = r.ID
	}
	if err != nil {
		return nil, err
	}
	i.rule = r.ID
	return i, nil
}
