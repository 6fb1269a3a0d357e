package twin_test

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/hub/twin"
)

// key draws from few keys, so that documents have much in common.
var key = rapid.SampledFrom([]string{"a", "b", "c", "$x", "é", "a b"})

// document draws an object of at most depth levels without nulls, as a hub
// stores them.
func document(depth int) *rapid.Generator[twin.Object] {
	return rapid.Custom(func(t *rapid.T) twin.Object {
		o := twin.Object{}
		for range rapid.IntRange(0, 4).Draw(t, "size") {
			o[key.Draw(t, "key")] = value(depth-1).Draw(t, "value")
		}
		return o
	})
}

func value(depth int) *rapid.Generator[any] {
	scalar := rapid.OneOf(
		rapid.Map(rapid.SampledFrom([]json.Number{"1", "1.0", "2", "9007199254740993", "-0", "1e3"}), func(n json.Number) any { return n }),
		rapid.Map(rapid.SampledFrom([]string{"", "x", "y"}), func(s string) any { return s }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
	)
	if depth <= 0 {
		return scalar
	}
	list := rapid.Map(rapid.SliceOfN(scalar, 0, 3), func(l []any) any { return l })
	return rapid.OneOf(scalar, list, rapid.Map(document(depth), func(o twin.Object) any { return o }))
}

// patch draws a merge patch: a document in which anything may be null.
func patch(depth int) *rapid.Generator[twin.Object] {
	return rapid.Custom(func(t *rapid.T) twin.Object {
		o := twin.Object{}
		for range rapid.IntRange(0, 4).Draw(t, "size") {
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				o[key.Draw(t, "key")] = nil
			case 1:
				o[key.Draw(t, "key")] = value(depth-1).Draw(t, "value")
			default:
				if depth > 0 {
					o[key.Draw(t, "key")] = patch(depth-1).Draw(t, "patch")
				}
			}
		}
		return o
	})
}

func TestDiffLeadsFromOneToTheOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, to := document(3).Draw(t, "from"), document(3).Draw(t, "to")
		p := twin.Diff(from, to)
		if got := twin.Merge(from, p); !twin.Equal(got, to) {
			t.Fatalf("%s leads to %s, not to %s", twin.Encode(p), twin.Encode(got), twin.Encode(to))
		}
		if (len(p) == 0) != twin.Equal(from, to) {
			t.Fatalf("the patch of equal documents is empty, and of others not: %s", twin.Encode(p))
		}
	})
}

// TestDiffIsSmallest takes leaves out of a patch: without any of them it leads
// elsewhere.
func TestDiffIsSmallest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, to := document(3).Draw(t, "from"), document(3).Draw(t, "to")
		p := twin.Diff(from, to)
		for _, l := range twin.Leaves("tags", p) {
			if less := without(p, l.Path); twin.Equal(twin.Merge(from, less), to) {
				t.Fatalf("%s does as well as %s", twin.Encode(less), twin.Encode(p))
			}
		}
	})
}

func without(o twin.Object, path []string) twin.Object {
	out := twin.Object{}
	for k, v := range o {
		if k == path[0] {
			child, ok := v.(twin.Object)
			if len(path) == 1 || !ok {
				continue
			}
			v = without(child, path[1:])
		}
		out[k] = v
	}
	return out
}

func TestMergeTwiceIsMergeOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc, p := document(3).Draw(t, "doc"), patch(3).Draw(t, "patch")
		once := twin.Merge(doc, p)
		if twice := twin.Merge(once, p); !twin.Equal(once, twice) {
			t.Fatalf("%s, then %s", twin.Encode(once), twin.Encode(twice))
		}
	})
}

func TestTouchesSayWhatAMergeDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc, p := document(3).Draw(t, "doc"), patch(3).Draw(t, "patch")
		after := twin.Merge(doc, p)
		for _, touch := range twin.Touches(doc, p) {
			was, _ := doc.Lookup(touch.Path...)
			is, _ := after.Lookup(touch.Path...)
			if !twin.Equal(was, touch.Before) || !twin.Equal(is, touch.After) || twin.Equal(touch.Before, touch.After) {
				t.Fatalf("%v: %v → %v, in fact %v → %v", touch.Path, touch.Before, touch.After, was, is)
			}
		}
	})
}

// TestLeavesOfADocumentHoldOnceWritten is the law of assertions: what a patch of
// leaves says holds after it is written.
func TestLeavesOfADocumentHoldOnceWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tags, wanted := document(3).Draw(t, "tags"), document(3).Draw(t, "wanted")
		tw, err := twin.Parse(twin.Encode(twin.Object{"deviceId": "d", "tags": tags}))
		if err != nil {
			t.Fatal(err)
		}
		leaves := twin.Leaves("tags", wanted)
		after := tw.With(twin.PatchOf(leaves))
		for _, l := range leaves {
			if !l.Holds(after) {
				t.Fatalf("%v = %v does not hold in %s", l.Path, l.Value, twin.Encode(after.Tags()))
			}
		}
	})
}

// FuzzPatch holds patches of any two documents to their laws: the smallest one leads
// from one to the other, a merge done twice is done once, and what is touched is
// said. An object with a null is a patch, and no document.
func FuzzPatch(f *testing.F) {
	for _, pair := range [][2]string{
		{`{}`, `{"a":{"b":null}}`}, {`{"a":{"b":1,"c":[1,{}]}}`, `{"a":{"b":1.0,"c":[1,{"x":null}]}}`}, {`{"a":{}}`, `{"a":null,"":{"":[]}}`},
		{`{"a":1e999,"b":9007199254740993}`, `{"b":9007199254740992,"a":{"a":{"a":{}}}}`}, {`{"a":"x"}`, `{"a":"x"}`},
	} {
		f.Add([]byte(pair[0]), []byte(pair[1]))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		from, err1 := twin.DecodeObject(a)
		p, err2 := twin.DecodeObject(b)
		if err1 != nil || err2 != nil {
			return
		}
		from = twin.Merge(twin.Object{}, from) // without nulls
		to := twin.Merge(from, p)
		if got := twin.Merge(to, p); !twin.Equal(got, to) {
			t.Fatalf("%s, then %s", twin.Encode(to), twin.Encode(got))
		}
		diff := twin.Diff(from, to)
		if got := twin.Merge(from, diff); !twin.Equal(got, to) {
			t.Fatalf("%s leads to %s, not to %s", twin.Encode(diff), twin.Encode(got), twin.Encode(to))
		}
		for _, touch := range twin.Touches(from, p) {
			is, _ := to.Lookup(touch.Path...)
			if was, _ := from.Lookup(touch.Path...); !twin.Equal(was, touch.Before) || !twin.Equal(is, touch.After) {
				t.Fatalf("%v: %v → %v, in fact %v → %v", touch.Path, touch.Before, touch.After, was, is)
			}
		}
	})
}

// FuzzDecode holds the decoder against encoding/json: it refuses what that
// refuses, and what both take means the same.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{reefer, `{"a":[1,2.5e-3,"\u00e9\n",{}],"b":null}`, `{"a":1,"a":2}`, `"\ud800"`, `-`, `01`, `[1,]`, `{"a"}`, "\xff", `truefalse`, `1.`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := twin.Decode(data)
		if err != nil {
			return
		}
		if !json.Valid(data) {
			t.Fatalf("%q is no JSON", data)
		}
		again, err := twin.Decode(twin.Encode(v))
		if err != nil || !twin.Equal(v, again) {
			t.Fatalf("%q became %s: %v", data, twin.Encode(again), err)
		}
		if _, err := twin.Parse(data); err == nil {
			if _, ok := v.(twin.Object); !ok {
				t.Fatalf("%q is no twin", data)
			}
		}
	})
}

// FuzzParse holds the skimming parser against the decoder: what it takes, the
// decoder takes.
func FuzzParse(f *testing.F) {
	f.Add([]byte(reefer))
	f.Add([]byte(`{"deviceId":"d","properties":{"desired":{"a":{"b":[{}]}}},"capabilities":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		tw, err := twin.Parse(data)
		if err != nil {
			return
		}
		doc, err := twin.DecodeObject(data)
		if err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		if tags, _ := doc["tags"].(twin.Object); !twin.Equal(tw.Tags(), tags) && len(tags)+len(tw.Tags()) > 0 {
			t.Fatalf("tags are %s, not %s", twin.Encode(tw.Tags()), twin.Encode(tags))
		}
	})
}
