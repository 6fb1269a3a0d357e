package hubtest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A failure is something that goes wrong on the wire, and where it is tested.
type failure struct {
	id, what string
	tests    []place
}

// A place is a function, a case or a script, below the root of the repository.
type place struct{ file, text string }

func test(file, name string) place { return place{file, "func " + name + "("} }

// failures lists those that the project promises to survive.
var failures = []failure{
	{"B1", "the hub took a write and its answer was lost", []place{
		test("hub/client_test.go", "TestLostAnswer"), test("hub/operation_test.go", "TestRepeats"), test("hub/operation_test.go", "TestDoubtStays"),
		test("engine/apply_test.go", "TestHistories"), test("engine/apply_test.go", "TestAConfigurationWhoseAnswerIsLostIsFound"),
	}},
	{"B2", "a write arrives late", []place{test("hub/wire_test.go", "TestLateArrival"), test("hub/emulator/fault_test.go", "TestLateWrite")}},
	{"B3", "412, and somebody else wrote", []place{
		test("hub/operation_test.go", "TestNotOurs"), {"engine/apply_test.go", `"another place changed"`}, {"engine/apply_test.go", `"the same place changed"`},
		{"hub/hubtest/counters.go", "a report moves versions but not the etag"},
	}},
	{"B4", "an etag is sent wrongly", []place{
		test("hub/wire_test.go", "TestEtags"), {"hub/hubtest/guard.go", "an old etag stops the write"},
		{"hub/hubtest/configurations.go", "an etag without quotes misleads"},
	}},
	{"B5", "a device is deleted and created again", []place{
		{"hub/hubtest/twins.go", "a device made anew has a new twin"}, {"engine/apply_test.go", `"deleted and created again"`},
		{"cmd/twinrules/testdata/script/apply.txtar", "# a device that was registered anew"},
	}},
	{"B6", "a storm of 429, with and without Retry-After", []place{
		test("hub/pace_test.go", "TestStorm"), test("hub/pace_test.go", "TestPauses"), test("hub/pace_test.go", "TestSharedPacer"),
		test("hub/emulator/throttle_test.go", "TestStorm"), test("engine/apply_test.go", "TestStormOfThrottling"),
	}},
	{"B7", "5xx, resets, half-open connections, names that lead nowhere", []place{
		test("hub/hostile_test.go", "TestHostileHub"), test("hub/operation_test.go", "TestRepeats"), test("hub/client_test.go", "TestNotReached"),
		test("engine/resume_test.go", "TestOutOfReachStopsTheRun"),
	}},
	{"B8", "answers cut off, huge, slow, compressed to nothing, of the wrong type, with a key twice, about another device", []place{
		test("hub/hostile_test.go", "TestHostileHub"), test("hub/wire_test.go", "TestSlow"), test("hub/wire_test.go", "TestBombInAnError"),
	}},
	{"B9", "redirects, other hosts, old TLS, certificates that are not valid", []place{
		test("hub/hostile_test.go", "TestRedirect"), test("hub/hostile_test.go", "TestHosts"), test("hub/wire_test.go", "TestCertificates"),
		test("hub/client_test.go", "TestNotReached"),
	}},
	{"B10", "expired tokens, claims asked for, roles taken away", []place{
		test("hub/wire_test.go", "TestTokenExpires"), test("hub/wire_test.go", "TestClaims"), test("hub/wire_test.go", "TestRoleRemoved"),
		test("engine/resume_test.go", "TestDeniedInTheMiddle"),
	}},
	{"B11", "another hub than the plan's", []place{
		{"cmd/twinrules/testdata/script/apply.txtar", "# a plan is for its hub"},
		{"engine/samehub_test.go", "TestAnotherHub"},
	}},
}

func failuresTable() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| | failure | tested in |\n|---|---|---|\n")
	for _, f := range failures {
		var places []string
		for _, p := range f.tests {
			name := strings.Trim(strings.TrimSuffix(strings.TrimPrefix(p.text, "func "), "("), `"# `)
			places = append(places, fmt.Sprintf("`%s`: %s", p.file, name))
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", f.id, f.what, strings.Join(places, "<br>"))
	}
	return b.String()
}

// TestFailuresAreTested looks for the tests, so that none is renamed away.
func TestFailuresAreTested(t *testing.T) {
	for _, f := range failures {
		for _, p := range f.tests {
			text, err := os.ReadFile(filepath.Join("../..", p.file))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), p.text) {
				t.Errorf("%s: %s has no %q", f.id, p.file, p.text)
			}
		}
	}
	if len(failures) != 11 {
		t.Errorf("%d failures", len(failures))
	}
}
