package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
)

// TestInterpretingIsSaid: once there is a plugin that it slows down.
func TestInterpretingIsSaid(t *testing.T) {
	var out bytes.Buffer
	p := &pluginPlace{env: &environment{stderr: &out}, store: &store{}, options: plugins.Options{Interpreter: true}}
	host, err := p.bench(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close(t.Context())
	if p.warn(host); out.Len() > 0 {
		t.Errorf("with no plugin it says %q", &out)
	}
	if _, err := host.Load(t.Context(), "p", wasmtest.Plugin(wasmtest.Const64(0), nil)); err != nil {
		t.Fatal(err)
	}
	if p.warn(host); !strings.Contains(out.String(), "plugins are interpreted on this platform") {
		t.Errorf("with a plugin it says %q", &out)
	}
}
