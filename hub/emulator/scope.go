package emulator

import "github.com/twinrules/twinrules/hub/twin"

// writeScopes puts the edge scopes of an enrolment over those in old, nil for a new
// device, into o. An edge device has a scope of its own, which it keeps; its
// parents are given. A leaf has the scope of its parent, and the hub fills in
// the parent. Whether the hub looks for the parent is not known; this does not.
func (e *enrolment) writeScopes(old, o twin.Object, generation string) error {
	given := ""
	if e.scope != nil {
		given = *e.scope
	}
	was, _ := old["deviceScope"].(string)
	var scope string
	parents := e.parents
	switch wasEdge := isEdge(old); {
	case e.edge && wasEdge && was != "":
		if given != was {
			return refuse("ArgumentInvalid", "Device scope is immutable")
		}
		scope = was
	case e.edge:
		if given != "" { // a leaf that becomes an edge device sends ""
			return refuse("ArgumentInvalid", "Device scope is immutable")
		}
		scope = "ms-azure-iot-edge://" + e.ref.Device + "-" + generation
	case wasEdge || given == "": // an edge device that becomes a leaf loses its parent, as observed
		parents = nil
	default:
		scope, parents = given, []string{given}
	}
	set(o, "deviceScope", orNull(scope))
	set(o, "parentScopes", arrayOrNull(parents))
	return nil
}

func isEdge(o twin.Object) bool {
	edge, _ := o.Lookup("capabilities", "iotEdge")
	return edge == true
}

func arrayOrNull(texts []string) any {
	if len(texts) == 0 {
		return nil
	}
	list := make([]any, len(texts))
	for i, text := range texts {
		list[i] = text
	}
	return list
}
