package abi

// Extism names, in a manifest, plugins that were written with one of Extism's
// development kits. Such a module exports its memory and
//
//	evaluate() i32
//
// which gets an [Input] as Extism's input, and sets an [Output] as its output, none
// for "no match", and returns 0. With another result, and an error that it set, it
// says that it cannot judge the twin. The members of the rule's configuration are
// what config_get returns: strings as they are, other values as JSON.
//
// All that holds of [Version] holds here: blocks of memory and variables live for
// one call, and http_request, which kits import whether it is used or not, fails
// the call.
const Extism = "extism/1"

// The names of Extism's agreement.
const (
	ExtismHost     = "extism:host/env"
	ExtismEvaluate = "evaluate"
	ExtismConfig   = "config_get"        // of ExtismHost
	Constructors   = "__wasm_call_ctors" // run first where there is no Initialize
	Haskell        = "hs_init"           // of its runtime, run after that with two zeros
)
