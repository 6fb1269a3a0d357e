// Package wasm reads WebAssembly modules as bytes: what they import and export,
// how big their parts are, and where their instructions stand. It refuses what
// it does not know, and it rewrites a module so that it pays for what it runs.
//
// Start with [Parse]. [Module.Over] says why a module is too big to be compiled
// safely, [Module.Meter] adds the fuel, [AppendCustom] and [Module.Custom] handle
// custom sections.
//
// The package runs nothing and knows nothing of plugins. Type checking is left to
// the compiler that reads the rewritten module; checking indices is not, because
// rewriting adds a global and locals, and an index that was out of range must not
// come to mean one of them.
package wasm
