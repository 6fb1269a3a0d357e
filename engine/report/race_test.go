//go:build race

package report_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain lets random laws, which one goroutine tries, try fewer plans.
func TestMain(m *testing.M) {
	flag.Set("rapid.checks", "20") // of 100
	os.Exit(m.Run())
}

// watched is whether the race detector watches, under which all takes longer.
const watched = true
