// Package conform is the conformance kit of plugins: it runs a module on the cases
// that its author wrote, and on many that nobody would write, and says where the
// module breaks what a rule counts on.
//
// Start with [ParseSuite] and [Run]; [Checks] lists what is looked at. The cases
// stand in a file beside the plugin, whose form is that of [Suite].
//
// The checks are cheap because calls are pure: the same twin can be asked about in
// any order and as often as it takes. How the module is found and how the result
// is printed is left to the caller.
package conform
