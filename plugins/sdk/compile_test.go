package sdk_test

import (
	"strings"
	"testing"

	"github.com/twinrules/twinrules/plugins/sdk"
)

func TestFind(t *testing.T) {
	tests := []struct {
		name, source string
		want         *sdk.Language
		folder       string
	}{
		{"a file in C", "x/my.plugin.c", sdk.C, "x"},
		{"Rust", "my.rs", sdk.Rust, "."},
		{"AssemblyScript", "my.ts", sdk.AssemblyScript, "."},
		{"WAT", "my.wat", sdk.WAT, "."},
		{"this folder", ".", sdk.Go, "."},
		{"the folder above", "..", sdk.Go, ".."},
		{"a folder", "go/battery", sdk.Go, "go/battery"},
		{"a file of a package", "go/battery/main.go", sdk.Go, "go/battery"},
		{"another language", "my.py", nil, ""},
		{"a folder that is not there", "nowhere", nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := sdk.Find(tt.source)
			if got != tt.want {
				t.Fatalf("got %v, want %v", got, tt.want)
			}
			if got != nil && got.Folder(tt.source) != tt.folder {
				t.Errorf("it is compiled in %s, want %s", got.Folder(tt.source), tt.folder)
			}
		})
	}
}

// TestNoCompiler sees to it that what a tool says against a source is shown.
func TestNoCompiler(t *testing.T) {
	_, err := sdk.Go.Compile(t.Context(), "go", "nowhere/main.go")
	if err == nil || !strings.Contains(err.Error(), "go build") {
		t.Errorf("got %v", err)
	}
}
