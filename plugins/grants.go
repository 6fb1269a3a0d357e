package plugins

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
)

// Grants are the paths at or below which a plugin may set values.
type grants struct {
	paths []string
	keys  [][]string
}

func newGrants(paths []string) grants {
	g := grants{paths: paths}
	for _, path := range paths {
		g.keys = append(g.keys, strings.Split(path, "."))
	}
	return g
}

// check says which value of patch is not granted, or returns nil. An empty
// object is a value: merging it can replace one.
func (g grants) check(patch twin.Patch) error {
	if err := g.object([]string{"tags"}, patch.Tags); err != nil {
		return err
	}
	return g.object([]string{"desired"}, patch.Desired)
}

func (g grants) object(path []string, o twin.Object) error {
	for _, key := range slices.Sorted(maps.Keys(o)) {
		if err := g.value(append(path[:len(path):len(path)], key), o[key]); err != nil {
			return err
		}
	}
	return nil
}

func (g grants) value(path []string, v any) error {
	for _, granted := range g.keys {
		if len(granted) <= len(path) && slices.Equal(granted, path[:len(granted)]) {
			return nil
		}
	}
	if o, ok := v.(twin.Object); ok && len(o) > 0 {
		return g.object(path, o)
	}
	return fmt.Errorf("its patch sets %s, which is not among its writes", strings.Join(path, "."))
}
