package hubtest_test

import (
	"strings"
	"testing"

	"github.com/twinrules/twinrules/hub/hubtest"
)

// caseName returns what [testing.T.Name] is for a case of TestConformance.
func caseName(c *hubtest.Case) string {
	return "TestConformance/" + strings.ReplaceAll(c.Name, " ", "_")
}

func checkPage(t *testing.T, w *witness) {}
