package emulator

import (
	"maps"
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
)

// A fleet holds the twins. It is guarded by its hub.
type fleet struct {
	documents map[twin.Ref]*document
	refs      []twin.Ref         // in order; nil when a twin came or went since
	changed   func(ref twin.Ref) // called after each change; nil for nobody
}

func newFleet() *fleet { return &fleet{documents: map[twin.Ref]*document{}} }

func (f *fleet) put(d *document) {
	if f.documents[d.ref] == nil {
		f.refs = nil
	}
	f.documents[d.ref] = d
	f.tell(d.ref)
}

func (f *fleet) remove(ref twin.Ref) {
	delete(f.documents, ref)
	f.refs = nil
	f.tell(ref)
}

func (f *fleet) tell(ref twin.Ref) {
	if f.changed != nil {
		f.changed(ref)
	}
}

// all returns every document in the order of refs.
func (f *fleet) all() []*document {
	if f.refs == nil {
		f.refs = slices.SortedFunc(maps.Keys(f.documents), twin.Ref.Compare)
	}
	list := make([]*document, len(f.refs))
	for i, ref := range f.refs {
		list[i] = f.documents[ref]
	}
	return list
}

// device returns the documents of a device: its own and those of its modules.
func (f *fleet) device(id string) []*document {
	var list []*document
	for _, d := range f.all() {
		if d.ref.Device == id {
			list = append(list, d)
		}
	}
	return list
}
