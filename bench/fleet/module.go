package fleet

import "fmt"

// module draws a module of device t. Rules that are about devices do not see it.
func module(d dice, t *document, name string) *document {
	m := &document{
		family: t.family, id: t.id, module: name, auth: "none", identity: d.Uint64N(1 << 40), connected: t.connected, active: t.active,
		wanted: d.between(1, 20), told: d.between(5, 900), salt: d.Uint64(), desiredWritten: t.desiredWritten,
	}
	m.desired = []member{object("schedule", number("everyMin", pick(d, 5, 15, 60)))}
	m.reported = []member{
		object("version", text("image", fmt.Sprintf("%s:1.%d.%d", name, d.between(0, 5), d.between(0, 20))), text("build", fmt.Sprint(d.between(4e7, 9e7)))),
		object("status", number("code", 200), text("description", "")),
	}
	if t.active.IsZero() {
		m.reported = nil
	}
	return m
}
