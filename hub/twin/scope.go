package twin

import "strings"

// scopeScheme begins the scope of an IoT Edge device, which the hub makes of its
// id and the moment of its creation, as ms-azure-iot-edge://gw-1-638…
const scopeScheme = "ms-azure-iot-edge://"

// ScopeOf returns a scope such as that of the IoT Edge device called id, for
// who knows its name and not when it was created: tests, and a state export.
func ScopeOf(id string) string { return scopeScheme + id + "-0" }

// Parent returns the id of the IoT Edge device that t is below, "" for none. The
// hub has its scope in parentScopes; of a device that is no gateway itself,
// deviceScope is that scope, too, and older identities have nothing else. Modules
// have no parent. Scopes of another form than is known name nobody.
//
// Rows of a query have parentScopes, too: Microsoft's command line reads the
// parent from there, from the first scope and up to its last dash, as it is done here.
func (t *Twin) Parent() string {
	scope := t.ParentScope
	if scope == "" && !t.Edge {
		scope = t.DeviceScope
	}
	rest, ok := strings.CutPrefix(scope, scopeScheme)
	dash := strings.LastIndexByte(rest, '-') // ids may have dashes, too
	if !ok || dash < 0 || t.Ref.Module != "" || strings.Trim(rest[dash+1:], "0123456789") != "" {
		return ""
	}
	return rest[:dash]
}

// scopes reads parentScopes and keeps the first: the hub documents one. What is
// no list of strings says nothing.
func (d *decoder) scopes(depth int) (first string) {
	if d.peek() != '[' {
		d.skip(depth)
		return ""
	}
	d.elements(func() {
		if d.peek() == '"' && first == "" {
			first = d.string()
			return
		}
		d.skip(depth + 1)
	})
	return first
}
