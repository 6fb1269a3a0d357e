package emulator

import (
	"maps"
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
)

// A fleet holds the twins. It is guarded by its hub.
type fleet struct {
	documents map[twin.Ref]*document
	modules   map[string]map[twin.Ref]bool // of each device that has any
	refs      []twin.Ref                   // in order; nil when a twin came or went since
	// changed is told of each change after it is done: a twin that comes has no
	// before, one that goes no after. Nil for nobody.
	changed func(before, after *document)
}

func newFleet() *fleet {
	return &fleet{documents: map[twin.Ref]*document{}, modules: map[string]map[twin.Ref]bool{}}
}

func (f *fleet) put(d *document) {
	before := f.documents[d.ref]
	if before == nil {
		f.refs = nil
		f.index(d.ref)
	}
	f.documents[d.ref] = d
	f.tell(before, d)
}

func (f *fleet) index(ref twin.Ref) {
	if ref.Module == "" {
		return
	}
	if f.modules[ref.Device] == nil {
		f.modules[ref.Device] = map[twin.Ref]bool{}
	}
	f.modules[ref.Device][ref] = true
}

func (f *fleet) remove(ref twin.Ref) {
	before := f.documents[ref]
	if before == nil {
		return
	}
	delete(f.documents, ref)
	f.refs = nil
	if delete(f.modules[ref.Device], ref); len(f.modules[ref.Device]) == 0 {
		delete(f.modules, ref.Device)
	}
	f.tell(before, nil)
}

func (f *fleet) tell(before, after *document) {
	if f.changed != nil {
		f.changed(before, after)
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

// modulesOf returns the documents of a device's modules in the order of their ids.
func (f *fleet) modulesOf(device string) []*document {
	var list []*document
	for _, ref := range slices.SortedFunc(maps.Keys(f.modules[device]), twin.Ref.Compare) {
		list = append(list, f.documents[ref])
	}
	return list
}
