package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/twinrules/twinrules/engine"
)

// TestServeSaysWhatPluginsUsed: a pass that used too much is one that a limit ended,
// and its log names the plugin; others say the sum.
func TestServeSaysWhatPluginsUsed(t *testing.T) {
	spent := engine.Spending{Budget: 10, Plugins: []engine.PluginFuel{{Plugin: "fence", Fuel: 9, Rules: []string{"r"}}, {Plugin: "score", Fuel: 2, Rules: []string{"s"}}}}
	for want, c := range map[string]struct {
		p   *pass
		err error
	}{
		`"result":"ok","twins":0,"configurations":0,"errors":0,"warnings":1,"fuel":11`: {&pass{plan: &engine.Plan{
			Header: engine.Header{Fleet: engine.FleetInfo{Complete: true}}, Spending: spent, Warnings: []engine.Failure{{}}}}, nil},
		`"result":"guard","error":"plugins used more than the 10 units of fuel that a run may use: fence 9 (rule r), score 2 (rule s)"`: {nil, &engine.FuelError{Spending: spent}},
	} {
		var b bytes.Buffer
		s := &service{log: slog.New(slog.NewJSONHandler(&b, nil)), fleet: &fleet{hub: "contoso.azure-devices.net"}}
		if s.logPass("p", c.p, c.err, time.Second); !strings.Contains(b.String(), want) {
			t.Errorf("%s is not in %s", want, &b)
		}
	}
}
