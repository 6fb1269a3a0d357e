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

	LoadSignature Code = "plugin.load.signature" // nobody whom the pack names has signed it
)

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
	EvalImpure        Code = "plugin.eval.impure"         // its answer depends on earlier calls, and [Options.PerRun] lets it
)

// A CodeDoc says what a code is about and what to do.
type CodeDoc struct {
	Code Code
	Doc  string
}

// Codes lists the codes, in the order in which things can go wrong.
var Codes = []CodeDoc{
	{LoadFetch, "the module cannot be read: build it, pull it, or name what it is; or what the registry said"},
	{LoadDigest, "the module is not the one that the pack or `twinrules.lock` names: `plugin lock` where the change is meant"},
	{LoadSignature, "it has no signature of a key that the pack names under `verify`"},
	{LoadFormat, "it is not a module, or not a valid one"},
	{LoadABI, "an export is missing or of a wrong type, or the manifest names another version: build a library with an SDK"},
	{LoadImport, "it imports something that no plugin gets; the message lists what"},
	{LoadLimit, "it is too big, or could become so"},
	{LoadManifest, "its manifest has a mistake: mend it and build again"},
	{InitConfig, "the rule's configuration does not fit the manifest's schema"},
	{InitError, "the plugin refuses the rule's configuration, and says why"},
	{InitTrap, "the plugin crashed over the configuration, which is a bug in it"},
	{InitFuel, "the plugin used up its budget over the configuration"},
	{EvalError, "the plugin cannot tell, and says why: the rule's `onError` decides"},
	{EvalTrap, "the plugin crashed, which is a bug in it: replay the call, whose trace names the function"},
	{EvalFuel, "the plugin used up its budget: it loops, or does too much"},
	{EvalMemory, "it has no room for the twin: declare reads, or give it more"},
	{EvalInputSize, "what it reads of the twin is too big: declare reads"},
	{EvalOutputSize, "its answer is too big"},
	{EvalOutputInvalid, "its answer is not in its memory, or no JSON"},
	{EvalOutputSchema, "its answer has a member that is unknown or of another type"},
	{EvalWrite, "its patch goes beyond the manifest's writes"},
	{EvalImpure, "its answer depends on earlier calls: do not run it with `--plugin-isolation run`"},
}

// An Error is a failure of one plugin. It is the same on every machine, with one
// exception: how deep a plugin may call itself before its stack overflows.
type Error struct {
	Code   Code
	Plugin string   // its name in the pack
	Ref    twin.Ref // the twin it was about; zero while loading
	Rule   string   // for which it was asked, "" for none
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

// NextStep returns the hint, for who knows errors by what they can do.
func (e *Error) NextStep() string { return e.Hint }

// Spent returns the fuel that was used, for who knows errors by what they cost.
func (e *Error) Spent() int64 { return e.Fuel }
