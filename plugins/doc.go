// Package plugins runs plugins: WebAssembly modules that judge twins for a rule.
// It implements rules.Plugins with wazero.
//
// Start with [NewHost] and [Host.Load]; a [Set] makes the plugins that a pack
// names. [Inspect] says what a module is without running it, [Embed] gives it its
// manifest.
//
// A plugin is hostile until shown otherwise. Before it is compiled a module must
// pass a gate (its size, its instructions, its imports), it is rewritten so that
// it pays fuel for what it runs (package wasm), and before each call its memory
// and globals are put back to what they were after its init. So each call ends,
// costs the same on every machine, and depends on nothing but the module, the
// configuration, the time of the run and the parts of the twin that the manifest
// declares. What goes wrong is an [*Error] about one twin; the next call works.
//
// Modules of Extism are asked in Extism's way, and all of this holds for them, too.
//
// Where modules come from, and whether they are the right ones, is left to the
// caller. What a match means is left to package rules.
package plugins
