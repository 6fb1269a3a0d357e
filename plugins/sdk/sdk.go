// Package sdk holds what authors of plugins start from: for each language one file
// to read twins and to write answers, a sample, and how a compiler is called.
//
// Start with [Languages], [Language.New] and [Language.Compile]. The files are in the folders beside this one; that of Go
// is a package to import. What plugins and host exchange is in package abi.
package sdk

import "embed"

// Files holds the files that languages name.
//
//go:embed battery.json twin.json scaffold c/battery.c c/twinrules.h rust/battery.rs rust/twinrules.rs
//go:embed assemblyscript/battery.ts assemblyscript/twinrules.ts wat/battery.wat wat/battery.json go/battery/main.go
//go:embed go/doc.go go/main.go go/value.go go/answer.go go/exports_wasip1.go
var Files embed.FS

// A Language is one that plugins are written in.
type Language struct {
	Name     string
	Title    string // its name in sentences
	Short    string // another name, "" for none
	Tool     string // the compiler's command
	Install  string // how to get it
	Sample   string // a plugin, of Files
	SDK      string // the file that stands beside it, of Files; "" for none
	Manifest string // the sample's, of Files
	// args are the arguments with which the tool makes the module out, a whole path,
	// of the file source where it is called. Equal compilers make equal bytes.
	args func(source, out string) []string
	env  []string // variables that the tool wants besides those of the process
}

// Languages lists the languages that have an SDK, and WAT, which needs none.
var Languages = []*Language{Go, Rust, AssemblyScript, C, WAT}

// Go is compiled with its own toolchain, as a library.
var Go = &Language{
	Name: "go", Title: "Go", Tool: "go", Install: "go.dev/doc/install has it", Sample: "go/battery/main.go", Manifest: "battery.json",
	args: func(_, out string) []string {
		return []string{"build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, "."}
	},
	env: []string{"GOOS=wasip1", "GOARCH=wasm", "GOWASM=", "GOEXPERIMENT="},
}

// Rust needs no crate and no cargo. The stack is small and comes first, so that a
// plugin that overflows it traps, and there is little memory to put back.
var Rust = &Language{
	Name: "rust", Title: "Rust", Tool: "rustc", Install: "apt install rustc libstd-rust-dev-wasm32 lld, or rustup target add wasm32-unknown-unknown",
	Sample: "rust/battery.rs", SDK: "rust/twinrules.rs", Manifest: "battery.json",
	args: func(source, out string) []string {
		return []string{
			"--edition", "2021", "--target", "wasm32-unknown-unknown", "--crate-type", "cdylib",
			"-C", "opt-level=3", "-C", "panic=abort", "-C", "lto", "-C", "codegen-units=1", "-C", "strip=debuginfo",
			"-C", "link-arg=--stack-first", "-C", "link-arg=-zstack-size=16384", "-o", out, source,
		}
	},
}

// AssemblyScript is compiled with the runtime that never frees, as the host puts
// memory back.
var AssemblyScript = &Language{
	Name: "assemblyscript", Title: "AssemblyScript", Short: "as", Tool: "asc", Install: "npm install -g assemblyscript",
	Sample: "assemblyscript/battery.ts", SDK: "assemblyscript/twinrules.ts", Manifest: "battery.json",
	args: func(source, out string) []string {
		return []string{source, "-O3", "--runtime", "stub", "--exportStart", "_initialize", "-o", out}
	},
}

// C is compiled without a library. Clang keeps its version in the module, and no
// more of what is not code.
var C = &Language{
	Name: "c", Title: "C", Tool: "clang", Install: "apt install clang lld", Sample: "c/battery.c", SDK: "c/twinrules.h", Manifest: "battery.json",
	args: func(source, out string) []string {
		return []string{
			"--target=wasm32", "-O2", "-nostdlib", "-ffreestanding", "-mbulk-memory", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function",
			"-Wl,--no-entry", "-Wl,--stack-first", "-Wl,-z,stack-size=8192", "-Wl,--strip-debug", "-o", out, source,
		}
	},
}

// WAT is the text of a module, written by hand.
var WAT = &Language{
	Name: "wat", Title: "WAT", Tool: "wat2wasm", Install: "apt install wabt", Sample: "wat/battery.wat", Manifest: "wat/battery.json",
	args: func(source, out string) []string { return []string{"-o", out, source} },
}
