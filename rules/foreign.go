package rules

import (
	"cmp"
	"maps"
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Foreign is a configuration on the hub that is not the pack's and writes
// places which a rule of the pack writes, too. It is immutable.
type Foreign struct {
	ID     string
	claims []claim
	target target
}

// A claim is a place that a configuration writes, on devices or on a module.
type claim struct {
	on    Target
	place twin.Leaf
}

// A Claim says that a configuration writes a place of a twin.
type Claim struct {
	Configuration string
	Value         any    // what it writes there
	Doubt         string // why it is not certain that it does; "" when it is
}

// Foreign returns those of the configurations on a hub, in the order of their
// ids, that are not the pack's own and write a place which one of its rules may
// write.
func (p *Program) Foreign(live []*twin.Configuration) (list []*Foreign) {
	for _, c := range live {
		if Owned(c, p.Pack.Name) {
			continue
		}
		f := &Foreign{ID: c.ID}
		kind, settings := contentKind(c.Content)
		f.target = parseTarget(c.TargetCondition, kind == moduleContent)
		f.read(kind, settings)
		if slices.ContainsFunc(p.rules, f.concerns) {
			list = append(list, f)
		}
	}
	slices.SortFunc(list, func(a, b *Foreign) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// read notes the places of a content.
func (f *Foreign) read(kind string, settings twin.Object) {
	switch kind {
	case deviceContent:
		f.add(Target{}, settings)
	case moduleContent:
		f.add(Target{Module: "*"}, settings)
	case modulesContent:
		// The condition is about the device, of which a module's twin says nothing.
		if !f.target.none {
			f.target = target{doubt: "its target condition is about the device, which was not read with the module"}
		}
		for _, module := range slices.Sorted(maps.Keys(settings)) {
			o, _ := settings[module].(twin.Object)
			f.add(Target{Module: module}, o)
		}
	}
}

// add notes the places of settings. Whether the hub merges an object that stands
// at a path or replaces what is there is not documented, so that the whole path is
// taken for written; only properties.desired itself cannot be replaced.
func (f *Foreign) add(on Target, settings twin.Object) {
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		path, ok := desiredPath(key)
		whole, _ := settings[key].(twin.Object)
		switch {
		case !ok:
		case len(path) > 0:
			f.claims = append(f.claims, claim{on, twin.Leaf{Section: "desired", Path: path, Value: settings[key]}})
		default:
			for _, first := range slices.Sorted(maps.Keys(whole)) {
				f.claims = append(f.claims, claim{on, twin.Leaf{Section: "desired", Path: []string{first}, Value: whole[first]}})
			}
		}
	}
}

// concerns reports whether the configuration writes a place that a rule may
// write, on some twin.
func (f *Foreign) concerns(r *compiledRule) bool {
	if r.Mode == Off || slices.Contains(r.AllowForeign, f.ID) {
		return false
	}
	writes := r.writes()
	return slices.ContainsFunc(f.claims, func(c claim) bool {
		sameKind := c.on.Devices() == r.On.Devices()
		return sameKind && slices.ContainsFunc(writes, c.place.Overlaps)
	})
}

// Claims reports whether the configuration writes a place of t that r wants to
// write. Where that is not certain it says yes, and in the claim why. A rule
// that allows the configuration has nothing to fear from it.
func (f *Foreign) Claims(t *twin.Twin, r *Rule, place twin.Leaf) (Claim, bool) {
	if slices.Contains(r.AllowForeign, f.ID) {
		return Claim{}, false
	}
	return f.writes(t, place)
}

func (f *Foreign) writes(t *twin.Twin, place twin.Leaf) (Claim, bool) {
	i := slices.IndexFunc(f.claims, func(c claim) bool { return c.on.Covers(t.Ref) && c.place.Overlaps(place) })
	if i < 0 {
		return Claim{}, false
	}
	yes, doubt := f.target.holds(t)
	return Claim{f.ID, valueIn(f.claims[i].place, place), doubt}, yes
}

// valueIn returns what a leaf says of a place that it overlaps.
func valueIn(l, place twin.Leaf) any {
	o, ok := l.Value.(twin.Object)
	if !ok || len(place.Path) < len(l.Path) {
		return l.Value
	}
	v, _ := o.Lookup(place.Path[len(l.Path):]...)
	return v
}
