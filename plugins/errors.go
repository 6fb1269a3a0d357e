package plugins

import (
	"fmt"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Code says what went wrong. Codes do not change their meaning.
type Code string

// While a module is loaded:
const (
	LoadFetch    Code = "plugin.load.fetch"    // there is nothing to load
	LoadDigest   Code = "plugin.load.digest"   // it is not the module that the pack or its lock names
	LoadFormat   Code = "plugin.load.format"   // not a module, or not a valid one
	LoadABI      Code = "plugin.load.abi"      // an export is missing or of a wrong type, or the manifest names another version
	LoadImport   Code = "plugin.load.import"   // it wants something that no plugin gets
	LoadLimit    Code = "plugin.load.limit"    // it is too big, or could be
	LoadManifest Code = "plugin.load.manifest" // its manifest has a mistake
)

// LoadSignature says that nobody whom the pack trusts has signed the module.
const LoadSignature Code = "plugin.load.signature"

// While a rule's configuration is given to it:
const (
	InitConfig Code = "plugin.init.config" // the configuration does not fit the schema
	InitError  Code = "plugin.init.error"  // the plugin refuses it
	InitTrap   Code = "plugin.init.trap"   // the plugin crashed
	InitFuel   Code = "plugin.init.fuel"   // the plugin used up its budget
)

// While it judges a twin:
const (
	EvalError         Code = "plugin.eval.error"          // the plugin says that it cannot
	EvalTrap          Code = "plugin.eval.trap"           // the plugin crashed
	EvalFuel          Code = "plugin.eval.fuel"           // the plugin used up its budget
	EvalMemory        Code = "plugin.eval.memory"         // it has no room for the twin
	EvalInputSize     Code = "plugin.eval.input_size"     // what it reads of the twin is too big
	EvalOutputSize    Code = "plugin.eval.output_size"    // its answer is too big
	EvalOutputInvalid Code = "plugin.eval.output_invalid" // its answer is not in its memory, or not JSON
	EvalOutputSchema  Code = "plugin.eval.output_schema"  // its answer is not an abi.Output
	EvalWrite         Code = "plugin.eval.write"          // its patch goes beyond its manifest's writes
)

// An Error is a failure of one plugin. It is the same on every machine, with one
// exception: how deep a plugin may call itself before its stack overflows.
type Error struct {
	Code   Code
	Plugin string   // its name in the pack
	Ref    twin.Ref // the twin it was about; zero while loading
	Fuel   int64    // used until then
	Log    []Line   // what the plugin said during the call
	Trace  string   // where in the plugin it happened, in several lines; "" when unknown
	Hint   string   // the one good next step, or ""
	Err    error
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "plugin %s: ", e.Plugin)
	if e.Ref != (twin.Ref{}) {
		fmt.Fprintf(&b, "%s: ", e.Ref)
	}
	fmt.Fprintf(&b, "%v [%s]", e.Err, e.Code)
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }
