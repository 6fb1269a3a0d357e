// Package rules is the language of twinrules: it loads a pack of rules from
// YAML, checks it, compiles its expressions, and says what the rules want of
// one twin.
//
// Start with [Load], which reads a pack and reports every mistake in it at its
// line and column, then [Compile], then [Program.Eval]. A mistake in a file is a
// [Diagnostic]; a failure while a twin is judged is an error in its [Verdict].
//
// A condition is an expr expression. Its member chains, such as
// reported.battery.pct, are cut out of it at compile time and become slots that
// are filled from the twin, so that the paths a rule reads are known before any
// twin is seen and a missing one is a value like any other.
//
// Where twins come from, what becomes of the wishes of many rules, and writing
// are left to package engine; running WebAssembly is left to package plugins.
package rules
