package rules

import (
	"context"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Plugin decides in code what a condition cannot say, for one rule's
// configuration of it. It is a pure function of its arguments and safe for
// concurrent use. Package plugins implements it with WebAssembly.
type Plugin interface {
	// Eval judges t as of now. A nil Finding means that the plugin does not
	// match t. An error is about this twin alone; the plugin stays usable. fuel is
	// what it took, whatever came of it, in a unit of the plugins' own.
	Eval(ctx context.Context, t *twin.Twin, now time.Time) (f *Finding, fuel int64, err error)
	// Reads lists the paths that Eval looks at, such as "reported.position", and "now"
	// when what it says depends on the time. Nil means the whole twin and the time.
	// Writes lists the paths that its patch may set.
	Reads() []string
	Writes() []string
}

// A Finding is what a plugin says of a twin it matches.
type Finding struct {
	Facts   twin.Object // read as plugin.* in when and ${ }
	Patch   twin.Patch  // goes through the same diff and limits as the rule's own
	Message string      // for people; "" when the plugin has nothing to say
}

// Plugins makes the plugins that a pack names. Package rules calls Instance
// once for each rule that uses one.
type Plugins interface {
	// Instance returns the plugin that r uses, configured with config. It fails
	// when the module cannot be loaded or refuses config.
	Instance(ctx context.Context, r *Rule, config twin.Object) (Plugin, error)
}

// A shown is what a rule's plugin looks at.
type shown struct {
	whole bool     // all of the twin
	paths []string // of the twin, unless it is all of it
	time  bool
}

// shown returns what the rule's plugin looks at: nothing where there is none.
func (r *compiledRule) shown() (s shown) {
	if r.plugin == nil {
		return s
	}
	list := r.plugin.Reads()
	if list == nil {
		return shown{whole: true, time: true}
	}
	for _, path := range list {
		if path == "now" {
			s.time = true
		} else {
			s.paths = append(s.paths, path)
		}
	}
	return s
}
