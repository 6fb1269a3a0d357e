// Package registry keeps modules of plugins in OCI registries, in the layout for
// WebAssembly of the CNCF, and brings them back.
//
// Start with [ParseRef], [Push] and [Pull]. A registry is as hostile as a plugin:
// all that it sends is bounded in size and time and compared with its digest, and
// it chooses no host that gets credentials or a module. What goes wrong is a
// [*plugins.Error] with a code.
//
// Signatures are carried and not judged, which is left to package sign; where
// modules are kept on disk is left to the caller.
package registry
