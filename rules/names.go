package rules

import (
	"maps"
	"slices"
	"time"

	"github.com/expr-lang/expr/vm"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Name is a word that expressions know. The slice [Names] is the one table
// from which the environment, the suggestions and the reference page are made.
type Name struct {
	Name, Doc string
	// value returns what the name means for a twin; nil when it is missing.
	value func(s *scope) any
	// query is the name in the hub's query language, "" when the language does
	// not have it or its meaning there is not certain.
	query string
}

// Names lists the names of expressions, in the order of the reference page.
var Names = []Name{
	{"id", "the device's id", func(s *scope) any { return s.twin.Ref.Device }, "deviceId"},
	{"moduleId", "the module's id, missing for a device", func(s *scope) any { return present(s.twin.Ref.Module) }, "moduleId"},
	{"hub", "the hub's host name", func(s *scope) any { return present(s.hub) }, ""},
	{"status", "enabled or disabled", func(s *scope) any { return present(s.twin.Status) }, "status"},
	{"connectionState", "Connected or Disconnected", func(s *scope) any { return present(s.twin.ConnectionState) }, "connectionState"},
	{"lastActivityTime", "when the device last spoke to the hub, a time; missing for never", func(s *scope) any { return moment(s.twin.LastActivityTime) }, ""},
	{"modelId", "the device's Plug and Play model", func(s *scope) any { return present(s.twin.ModelID) }, ""},
	{"edge", "whether the device is an IoT Edge device", func(s *scope) any { return s.twin.Edge }, ""},
	{"parent", "the id of the IoT Edge device above the device, missing for none", func(s *scope) any { return present(s.twin.Parent()) }, ""},
	{"tags", "the twin's tags", func(s *scope) any { return s.twin.Tags() }, "tags"},
	{"desired", "the twin's desired properties", func(s *scope) any { return s.twin.Desired() }, "properties.desired"},
	{"reported", "the twin's reported properties", func(s *scope) any { return s.twin.Reported() }, "properties.reported"},
	{"vars", "the pack's vars", func(s *scope) any { return s.vars }, ""},
	{"plugin", "what the rule's plugin found", func(s *scope) any { return s.facts }, ""},
	{"now", "the snapshot's time in a dry run, the run's start otherwise", func(s *scope) any { return s.now }, ""},
}

func present(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// moment reads a time of the hub, which writes "never" as the year 1.
func moment(text string) any {
	t, err := twin.ParseTime(text)
	if err != nil || t.Year() <= 1 {
		return nil
	}
	return t
}

// nameList returns the words themselves.
func nameList() []string {
	list := make([]string, len(Names))
	for i, n := range Names {
		list[i] = n.Name
	}
	return list
}

func findName(word string) (Name, bool) {
	for _, n := range Names {
		if n.Name == word {
			return n, true
		}
	}
	return Name{}, false
}

// A scope is what an expression can see: one twin at one moment.
type scope struct {
	twin  *twin.Twin
	now   time.Time
	hub   string
	vars  twin.Object
	facts twin.Object // of the rule's plugin

	memory   Memory    // nil remembers nothing
	bill     *Bill     // nil for nobody's
	coverage *coverage // of a test; else nil
	meter    *meter    // shared by several evaluations; nil: each has its own
	view     *view     // of a sieve, which has the sections instead of the twin
	runner   *runner   // used again and again; nil: each evaluation has its own
	filled   bool      // the runner has the values of all slots that are asked for
}

// A runner runs programs of expr, one after the other. That spares the making of a
// machine and a map, which takes as long as a short expression.
type runner struct {
	vm     vm.VM
	env    map[string]any
	meter  meter
	common []side // of the group of atoms that is asked
}

func newRunner() *runner {
	return &runner{vm: vm.VM{MemoryBudget: maxElements}, env: map[string]any{}}
}

// machine returns what runs an expression, and its environment. What is left in
// that of others does no harm: an expression only sees names that it sets.
func (s *scope) machine() (*vm.VM, map[string]any) {
	r := s.runner
	if r == nil {
		r = newRunner()
	}
	return &r.vm, r.env
}

func (s *scope) metered() *meter {
	if s.meter != nil {
		return s.meter
	}
	return &meter{left: maxWork}
}

// updated returns when the hub last changed what stands at a slot.
func (s *scope) updated(at slot) (time.Time, bool) {
	if s.view != nil {
		return s.view.updated(at)
	}
	return s.twin.Updated(at.root.Name, at.path...)
}

// A slot is a value that an expression reads of its scope: a whole member chain
// such as reported.battery.pct, or when the leaf at a chain was updated.
type slot struct {
	kind slotKind
	root Name
	path []string // keys below the root
	// key is the slot's name in the environment of the compiled program, which is
	// also how messages show it.
	key string
}

type slotKind int

const (
	slotValue   slotKind = iota
	slotUpdated          // when the hub last changed the leaf, a time
	slotAge              // how long ago that was, a duration
)

// spelled returns the slot as it is written in an expression.
func (s slot) spelled() string {
	switch s.kind {
	case slotUpdated:
		return "updated(" + s.String() + ")"
	case slotAge:
		return "age(" + s.String() + ")"
	}
	return s.String()
}

// String returns the path as it is written in an expression.
func (s slot) String() string { return PathString(append([]string{s.root.Name}, s.path...)) }

// raw returns the value as the twin holds it, with numbers as they are spelled.
func (s slot) raw(in *scope) (any, bool) {
	if in.view != nil && slices.Contains(sectionNames, s.root.Name) {
		return in.view.raw(s)
	}
	v := s.root.value(in)
	o, _ := v.(twin.Object)
	if len(s.path) == 0 {
		return withoutHubKeys(v, o), v != nil
	}
	return o.Lookup(s.path...)
}

// withoutHubKeys returns a value, whose members are o if it is an object, without
// what the hub adds to a section: a device that has reported nothing has an empty
// one. Whoever wants $version can name it.
func withoutHubKeys(v any, o twin.Object) any {
	if _, has := o["$version"]; !has && o["$metadata"] == nil {
		return v
	}
	o = maps.Clone(o)
	delete(o, "$metadata")
	delete(o, "$version")
	return o
}

// value returns what the expression sees; nil when it is missing.
func (s slot) value(in *scope) any {
	if s.kind == slotValue {
		v, _ := s.raw(in)
		return toExpr(v)
	}
	at, ok := in.updated(s)
	switch {
	case !ok:
		return nil
	case s.kind == slotAge:
		return in.now.Sub(at)
	}
	return at
}
