package hub

import "slices"

// An operation is something the service API can do.
type operation struct {
	ids    []string // in Microsoft's description of the API, of the forms for devices and for modules
	name   string   // in messages, such as "patch twin"
	span   string   // in traces, such as "RegistryClient.UpdateTwin"
	effect effect
	class  *Class // whose limit it counts against
	limit  int64  // bytes of the answer that are read
	action string // the permission it needs
	role   string // the narrowest built-in role that grants it
}

// An effect is what an operation does to the hub, and so whether it may be asked
// for again when nobody knows what came of it.
type effect int

const (
	reads  effect = iota // changes nothing
	writes               // sets a state: once more makes no difference if nothing came between
	acts                 // happens as often as it is asked for
)

// writes reports whether the operation changes anything.
func (op *operation) writes() bool { return op.effect != reads }

const (
	itemLimit = 1 << 20  // of one document: a twin has at most some 100 KB
	pageLimit = 64 << 20 // of a page of documents
)

// The built-in roles. Owner and Contributor of the subscription grant none of
// the actions on data.
const (
	dataReader          = "IoT Hub Data Reader"
	twinContributor     = "IoT Hub Twin Contributor"
	registryContributor = "IoT Hub Registry Contributor"
	dataContributor     = "IoT Hub Data Contributor"
)

const actions = "Microsoft.Devices/IotHubs/"

// An Operation is one of the 42 of Microsoft's description of the service API.
type Operation struct {
	ID     string // there, such as "Devices_GetTwin"
	Name   string // in the messages of this package, such as "read twin"
	Action string // the permission it needs, such as "Microsoft.Devices/IotHubs/twins/read"
	Role   string // the narrowest built-in role that grants it
	Writes bool
	Class  *Class // whose limit it counts against
}

// Operations returns all operations by ID.
func Operations() []Operation {
	var out []Operation
	for _, op := range operations() {
		for _, id := range op.ids {
			out = append(out, Operation{id, op.name, op.action, op.role, op.writes(), op.class})
		}
	}
	slices.SortFunc(out, func(a, b Operation) int { return slices.Compare([]string{a.ID}, []string{b.ID}) })
	return out
}

func operations() []*operation {
	return slices.Concat(twinOperations(), identityOperations(), jobOperations(), configurationOperations(), digitalTwinOperations(), messageOperations())
}
