package main

import (
	"bytes"
	"testing"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/emulator"
)

// TestForetellPull asks how long a pull will take, with and without the right to
// read statistics, and of hubs of several sizes.
func TestForetellPull(t *testing.T) {
	const small = "twinrules: reading 3000 devices takes at least 1m1s, longer with modules: the hub takes 20 queries in 1m0s, as far as is known (see --tier); " +
		"--via export is not held back by that\n"
	e, _, _ := loopback(t, &emulator.Options{Twins: devices(3000)})
	for name, test := range map[string]struct {
		policy string
		pacer  hub.PacerOptions
		want   string
	}{
		"statistics":          {"iothubowner", hub.PacerOptions{}, small},
		"no statistics":       {"service", hub.PacerOptions{}, small},
		"neither of the two":  {"device", hub.PacerOptions{}, ""},
		"a hub that is quick": {"iothubowner", hub.PacerOptions{Tier: hub.TierS3, Units: 1}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			pacer, err := hub.NewPacer(&test.pacer)
			if err != nil {
				t.Fatal(err)
			}
			client, err := hub.NewClientFromConnectionString(withHost(e.ConnectionStringOf(test.policy), e.HubAddr()),
				&hub.ClientOptions{RootCAs: e.CertPool(), Pacer: pacer})
			if err != nil {
				t.Fatal(err)
			}
			var said bytes.Buffer
			env := &environment{stderr: &said}
			env.foretellPull(t.Context(), &fleet{Source: client})
			if said.String() != test.want {
				t.Errorf("got %q, want %q", &said, test.want)
			}
		})
	}
}
