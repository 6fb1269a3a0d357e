package emulator

import (
	"regexp"
	"strings"

	"github.com/twinrules/twinrules/hub/query"
	"github.com/twinrules/twinrules/hub/twin"
)

// A target says which twins a configuration is for.
type target struct {
	none    bool
	modules bool // of devices, instead of devices
	where   query.Expr
}

// modulePrefix has to stand before the condition of a module configuration.
var modulePrefix = regexp.MustCompile(`(?is)^\s*from\s+devices\.modules\s+where\s+`)

// readTarget reads a target condition: "" for none, "*" for all, or what stands
// behind WHERE. Modules need the prefix, and have no "*".
func readTarget(kind, text string) (target, error) {
	t := target{modules: kind == moduleContent, none: text == ""}
	if t.modules && !t.none {
		prefix := modulePrefix.FindString(text)
		if prefix == "" {
			return t, badTarget("The condition of a module configuration begins with FROM devices.modules WHERE.")
		}
		text = text[len(prefix):]
	}
	if !t.none && (text != "*" || t.modules) {
		var err error
		if t.where, err = readCondition(text, t.modules); err != nil {
			return t, err
		}
	}
	if kind == edgeContent {
		t.where = query.And(t.where, query.Binary{Op: "=", Left: query.Path{"capabilities", "iotEdge"}, Right: query.Literal{Value: true}})
	}
	return t, nil
}

func badTarget(text string) error { return refuse("InvalidConfigurationTargetCondition", "%s", text) }

// readCondition reads an expression over what target conditions may read.
func readCondition(text string, modules bool) (query.Expr, error) {
	where, err := query.ParseCondition(text)
	if err != nil {
		return nil, badTarget(err.Error())
	}
	var wrong query.Path
	query.Paths(where, func(p query.Path) {
		if wrong == nil && !isTargetable(p, modules) {
			wrong = p
		}
	})
	if wrong != nil {
		return nil, badTarget("A condition is over deviceId, tags and properties.reported, not " + wrong.String() + ".")
	}
	return where, nil
}

func isTargetable(p query.Path, modules bool) bool {
	switch p[0] {
	case "deviceId", "tags":
		return true
	case "moduleId":
		return modules
	case "properties":
		return len(p) > 1 && p[1] == "reported"
	}
	return false
}

// includes reports whether the configuration is for d.
func (t target) includes(d *twin.Twin) bool {
	return !t.none && t.modules == (d.Ref.Module != "") && query.Holds(t.where, d)
}

// systemQueries returns the hub's own metrics of a configuration, verbatim as
// observed; those of module configurations were not seen and are made alike.
func systemQueries(kind, id, condition string) map[string]string {
	applied := "configurations.[[" + id + "]].status = 'Applied'"
	switch kind {
	case edgeContent:
		agent := "select deviceId from devices.modules where moduleId = '$edgeAgent' and " + applied
		current := agent + " and properties.desired.$version = properties.reported.lastDesiredVersion" +
			" and properties.reported.lastDesiredStatus.code "
		return map[string]string{
			"targetedCount":           targeted("select deviceId from devices where capabilities.iotEdge = true", " and ", condition),
			"appliedCount":            agent,
			"reportedSuccessfulCount": current + "= 200",
			"reportedFailedCount":     current + "!= 200",
		}
	case moduleContent:
		return map[string]string{
			"targetedCount": targeted("select deviceId", " ", condition),
			"appliedCount":  "select deviceId from devices.modules where " + applied,
		}
	}
	return map[string]string{
		"targetedCount": targeted("select deviceId from devices", " where ", condition),
		"appliedCount":  "select deviceId from devices where " + applied,
	}
}

func targeted(all, join, condition string) string {
	switch strings.TrimSpace(condition) {
	case "":
		return ""
	case "*":
		return all
	}
	return all + join + condition
}
