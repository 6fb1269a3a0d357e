package twin

import (
	"maps"
	"slices"
)

// A Patch is a JSON merge patch (RFC 7386) to the parts of a twin that a
// service may write. A nil value deletes the key it stands at.
type Patch struct{ Tags, Desired Object }

// Empty reports whether p changes nothing.
func (p Patch) Empty() bool { return len(p.Tags) == 0 && len(p.Desired) == 0 }

// Document returns p in the shape of a twin, which is the body of a twin PATCH:
// an empty section is left out, because the hub's answer to a null section is
// unknown and an empty one would still move versions.
func (p Patch) Document() Object {
	doc := Object{}
	if len(p.Tags) > 0 {
		doc["tags"] = p.Tags
	}
	if len(p.Desired) > 0 {
		doc["properties"] = Object{"desired": p.Desired}
	}
	return doc
}

// Merge returns doc with patch merged into it. It changes neither; the result
// shares what is equal with both.
func Merge(doc, patch Object) Object {
	out := maps.Clone(doc)
	if out == nil {
		out = Object{}
	}
	for key, want := range patch {
		if want == nil {
			delete(out, key)
			continue
		}
		if want, ok := want.(Object); ok {
			have, _ := out[key].(Object)
			out[key] = Merge(have, want)
			continue
		}
		out[key] = want
	}
	return out
}

// Diff returns the smallest patch for which Merge(from, patch) equals to. It is
// empty, not nil, when they are equal already. Documents that hold a null
// cannot be reached by a merge patch; the hub stores none.
func Diff(from, to Object) Object {
	patch := Object{}
	for key := range from {
		if _, keep := to[key]; !keep {
			patch[key] = nil
		}
	}
	for key, want := range to {
		have, exists := from[key]
		if exists && Equal(have, want) {
			continue
		}
		patch[key] = diffValue(have, want)
	}
	return patch
}

func diffValue(have, want any) any {
	from, ok1 := have.(Object)
	to, ok2 := want.(Object)
	if ok1 && ok2 {
		return Diff(from, to)
	}
	return want
}

// A Touch is one place at which a patch changes a document: the value there
// before and after. A nil value means that there is none.
type Touch struct {
	Path          []string // keys from the section down
	Before, After any
}

// Touches lists the places at which patch changes doc, in the order of their
// paths. Places are leaves; only where an object and something else replace one
// another the whole value is one place. Merging patch into a document with the
// same values at these places has the same effect there.
func Touches(doc, patch Object) []Touch {
	return appendTouches(nil, nil, doc, patch)
}

func appendTouches(list []Touch, path []string, doc, patch Object) []Touch {
	for _, key := range slices.Sorted(maps.Keys(patch)) {
		here := append(slices.Clone(path), key)
		have, want := doc[key], patch[key]
		from, ok1 := have.(Object)
		to, ok2 := want.(Object)
		if ok2 && len(to) > 0 && (ok1 || have == nil) {
			list = appendTouches(list, here, from, to)
			continue
		}
		if ok2 {
			want = Merge(from, to)
		}
		if have == nil && want == nil || Equal(have, want) {
			continue
		}
		list = append(list, Touch{Path: here, Before: have, After: want})
	}
	return list
}

// Set returns patch with value at path, made of objects as needed. It changes
// patch, which may be nil.
func Set(patch Object, path []string, value any) Object {
	if patch == nil {
		patch = Object{}
	}
	at := patch
	for _, key := range path[:len(path)-1] {
		next, ok := at[key].(Object)
		if !ok {
			next = Object{}
			at[key] = next
		}
		at = next
	}
	at[path[len(path)-1]] = value
	return patch
}
