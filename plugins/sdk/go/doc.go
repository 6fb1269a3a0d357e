// Package plugin is for writing twinrules plugins in Go. It uses little of the
// standard library and no reflection, so that modules stay small and quick.
//
// Start with [Main]:
//
//	var _ = plugin.Main(configure)
//
//	func configure(config plugin.Value) (plugin.Judge, error) { … }
//
//	func main() {}
//
// and build a library, not a program:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -trimpath -ldflags='-s -w' -o my.wasm .
//
// A plugin is a function of its input: what it keeps in variables after its
// configuration is gone in the next call. It has no files, no network, and a
// clock that stands still. Avoid fmt and encoding/json, which double the module
// and cost most of its time.
//
// Package abi says what host and plugin exchange; the manifest is written there
// too. Everything but the exports works on any platform, so that a Judge can be
// tested with [Run].
package plugin
