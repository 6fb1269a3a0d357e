package emulator

import (
	"strings"

	"github.com/twinrules/twinrules/hub/query"
)

// testQueries says in its answer what is wrong, with status 200. Unlike a PUT it
// refuses the condition "*", as observed.
func (h *hub) testQueries(c *call) (*answer, error) {
	var b struct {
		TargetCondition     string
		CustomMetricQueries map[string]string
	}
	if err := readBody(c.body, &b); err != nil {
		return nil, err
	}
	result := struct {
		Target  *string           `json:"targetConditionError"`
		Metrics map[string]string `json:"customMetricQueryErrors"`
	}{Metrics: map[string]string{}}
	if err := testCondition(b.TargetCondition); err != nil {
		text := err.(*refusal).text
		result.Target = &text
	}
	for name, text := range b.CustomMetricQueries {
		if _, err := query.Parse(text); err != nil {
			result.Metrics[name] = err.Error()
		}
	}
	return reply(result), nil
}

// testCondition returns what is wrong with a target condition, whose kind its
// beginning tells.
func testCondition(text string) error {
	kind := deviceContent
	if modulePrefix.MatchString(text) {
		kind = moduleContent
	}
	if strings.TrimSpace(text) == "*" {
		return badTarget("The condition '*' is not an expression.")
	}
	_, err := readTarget(kind, text)
	return err
}
