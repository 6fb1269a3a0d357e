package sdk_test

import (
	"path/filepath"
	"testing"

	kit "github.com/twinrules/twinrules/plugins/conform"
	"github.com/twinrules/twinrules/plugins/sdk/sdktest"
)

// TestExamplesConform runs the conformance kit on the plugins of the examples, with
// the cases of their authors.
func TestExamplesConform(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("thousands of calls by one goroutine, and a module of Go to compile")
	}
	for module, cases := range map[string]string{
		"pumps/anomaly.wasm": "pumps/anomaly", "pumps/duty.wasm": "pumps/duty", "pumps/blob.wasm": "pumps/blob", "geofence/geofence.wasm": "geofence/plugin",
	} {
		t.Run(filepath.Base(module), func(t *testing.T) {
			const examples = "../../examples/rules"
			suite, err := kit.ParseSuite(sdktest.Read(t, filepath.Join(examples, cases, "plugin.cases.json")))
			if err != nil {
				t.Fatal(err)
			}
			r, err := kit.Run(t.Context(), load(t, sdktest.Read(t, filepath.Join(examples, module)), nil), suite)
			if err != nil {
				t.Fatal(err)
			}
			for _, result := range r.Results {
				if result.Problem != "" {
					t.Errorf("%s: %s: %s %q", result.Check, result.Name, result.Problem, result.Detail)
				}
			}
			if len(r.Results) < len(kit.Checks)+len(suite.Cases)-1 || len(suite.Cases) == 0 {
				t.Errorf("it looked at %d things only, with %d cases", len(r.Results), len(suite.Cases))
			}
		})
	}
}
