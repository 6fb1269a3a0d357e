package emulator

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/hub/twin"
)

var morning = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// sections draws what a service or a device may write, nulls among it.
func sections() *rapid.Generator[twin.Object] {
	keys := rapid.SampledFrom([]string{"a", "b", "c", ""})
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		leaves := rapid.SampledFrom([]any{nil, true, "x", number(1), []any{number(2)}, []any{twin.Object{"k": "v"}}})
		if depth == 0 {
			return leaves
		}
		objects := rapid.Custom(func(t *rapid.T) any {
			return twin.Object(rapid.MapOfN(keys, value(depth-1), 0, 3).Draw(t, "object"))
		})
		return rapid.OneOf(leaves, objects)
	}
	return rapid.Custom(func(t *rapid.T) twin.Object {
		return rapid.MapOfN(keys, value(3), 0, 4).Draw(t, "section")
	})
}

// newborn returns the document of a device that was just created.
func newborn(t interface{ Fatal(...any) }) *document {
	parsed, err := twin.Parse([]byte(`{"deviceId":"d1","properties":{"desired":{"a":{"b":1}},"reported":{"c":2}}}`))
	if err != nil {
		t.Fatal(err)
	}
	d, err := birth(parsed, newDice(1), morning)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestLawsOfWrites writes at random and compares with what merging says. The
// metadata mirrors the section: the same objects, a stamp at each leaf.
func TestLawsOfWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := newborn(t)
		tags, desired, reported := twin.Object{}, twin.Object{"a": twin.Object{"b": number(1)}}, twin.Object{"c": number(2)}
		for range rapid.IntRange(1, 6).Draw(t, "writes") {
			before := d.parse()
			e := &edit{}
			var err error
			switch rapid.SampledFrom([]string{"patch", "put", "report"}).Draw(t, "write") {
			case "patch":
				e.tags, e.desired = sections().Draw(t, "tags"), sections().Draw(t, "desired")
				tags, desired = twin.Merge(tags, e.tags), twin.Merge(desired, e.desired)
				d, err = d.write(e, morning)
			case "put":
				e.replace, e.desired = true, sections().Draw(t, "desired")
				tags, desired = twin.Object{}, twin.Merge(nil, e.desired)
				d, err = d.write(e, morning)
			case "report":
				patch := sections().Draw(t, "reported")
				reported = twin.Merge(reported, patch)
				d, err = d.report(patch, morning)
			}
			if err != nil {
				t.Fatal(err)
			}
			checkWrite(t, before, d.parse())
			checkSection(t, d.parse().Desired(), desired)
			checkSection(t, d.parse().Reported(), reported)
			if got := d.parse().Tags(); !twin.Equal(got, tags) {
				t.Fatalf("tags are %s, want %s", twin.Encode(got), twin.Encode(tags))
			}
		}
	})
}

func checkWrite(t *rapid.T, before, after *twin.Twin) {
	if after.Version != before.Version+1 {
		t.Fatalf("the version went from %d to %d", before.Version, after.Version)
	}
	reported := !twin.Equal(before.Reported()["$version"], after.Reported()["$version"])
	if want := nextTwinETag(before.ETag); reported == (after.ETag == want) {
		t.Fatalf("reported: %t, and the etag went from %s to %s", reported, before.ETag, after.ETag)
	}
}

func checkSection(t *rapid.T, got, want twin.Object) {
	if values := withoutHubKeys(got); !twin.Equal(values, want) {
		t.Fatalf("the section is %s, want %s", twin.Encode(values), twin.Encode(want))
	}
	checkMirror(t, got["$metadata"], want)
}

func checkMirror(t *rapid.T, meta any, value any) {
	m, ok := meta.(twin.Object)
	if !ok || m["$lastUpdated"] == nil {
		t.Fatalf("metadata %s of %s has no stamp", twin.Encode(meta), twin.Encode(value))
	}
	below := maps.Clone(m)
	maps.DeleteFunc(below, func(key string, _ any) bool { return strings.HasPrefix(key, "$") })
	o, _ := value.(twin.Object)
	if len(below) != len(o) {
		t.Fatalf("metadata %s does not mirror %s", twin.Encode(meta), twin.Encode(value))
	}
	for key := range o {
		checkMirror(t, below[key], o[key])
	}
}

// TestLawOfWithout: a configuration that goes takes its leaves, and no others.
func TestLawOfWithout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc, patch := sections().Draw(t, "document"), sections().Draw(t, "patch")
		doc = twin.Merge(nil, doc)
		left := twin.Merge(twin.Merge(doc, patch), without(patch))
		if touched := twin.Touches(left, without(patch)); len(touched) > 0 {
			t.Fatalf("something is left: %v", touched)
		}
		if above := over(without(patch), patch); !twin.Equal(twin.Merge(left, above), twin.Merge(left, patch)) {
			t.Fatalf("removing before writing changes what is written: %s", twin.Encode(above))
		}
	})
}

func TestTwinETags(t *testing.T) {
	for etag, want := range map[string]string{
		"AAAAAAAAAAE=": "AAAAAAAAAAI=", "AAAAAAAAAP8=": "AAAAAAAAAQA=", "//////////8=": "AAAAAAAAAAA=",
		"": "AAAAAAAAAAE=", "made up": "AAAAAAAAAAg=",
	} {
		if got := nextTwinETag(etag); got != want {
			t.Errorf("after %q: got %q, want %q", etag, got, want)
		}
	}
}

func FuzzPlace(f *testing.F) {
	f.Add(place{id: "1b2c", row: 7, gap: true}.token())
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, token string) {
		p, ok := readPlace(token)
		if !ok {
			return
		}
		if again, ok := readPlace(p.token()); !ok || again != p {
			t.Errorf("%q is %v and then %v", token, p, again)
		}
	})
}

func FuzzSignature(f *testing.F) {
	policies := []policy{{name: "p", key: newDice(1).key()}}
	f.Add("sr=h&sig=x&se=1&skn=p")
	f.Add("sr=%68%2ftwins&se=99999999999&sig=%zz")
	f.Fuzz(func(t *testing.T, text string) {
		if p := signer(policies, text, []string{"h"}, morning); p != nil && !strings.Contains(text, "sig=") {
			t.Errorf("%q was taken", text)
		}
	})
}

// FuzzServe sends anything to the hub as its owner: every request has an answer
// that a client can read, and the fleet stays readable.
func FuzzServe(f *testing.F) {
	for _, r := range routes {
		f.Add(r.method, strings.ReplaceAll(r.path, "*", "d1"), `{"query":"SELECT * FROM devices"}`, "*", "")
		f.Add(r.method, strings.ReplaceAll(r.path, "*", "d1"),
			`{"deviceId":"d1","capabilities":{"iotEdge":true},"methodName":"ping","tags":{"a":null},"properties":{"desired":{"b":[1]}},"content":{"deviceContent":{"properties.desired.a.b":1}},"targetCondition":"*"}`, `"MQ=="`, "AAAA")
	}
	f.Add("POST", "/devices", `[{"id":"d2","importMode":"create","tags":{"a":1}},{"id":"d1","importMode":"updateTwin","properties":{"desired":{"a":{"b":1}}}}]`, "", "")
	f.Add("PUT", "/devices/d3/modules/m", `{"deviceId":"d3","moduleId":"m"}`, "", "")
	f.Add("PATCH", "/digitaltwins/d1", `[{"op":"add","path":"/t","value":{"$metadata":{},"x":1}},{"op":"replace","path":"/t/x","value":2}]`, "*", "")
	f.Add("POST", "/devices/d1/applyConfigurationContent", `{"modulesContent":{"$edgeAgent":{"properties.desired":{"a":1}}}}`, "", "")
	owner := &principal{shared: true, roles: []*Role{DataContributor}}
	f.Fuzz(func(t *testing.T, method, path, body, ifMatch, token string) {
		h := bareHub(2)
		h.fleet.put(newborn(t))
		h.fleet.changed, h.events = h.twinChanged, newEventLog(io.Discard)
		if err := h.enliven(1); err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Method, r.URL = method, &url.URL{RawQuery: "api-version=2021-04-12"}
		var err error
		if r.URL.Path, err = url.PathUnescape(path); err != nil {
			return
		}
		r.URL.RawPath = path
		r.Header.Set("If-Match", ifMatch)
		r.Header.Set("x-ms-continuation", token)
		for range 2 { // the second time on what the first has made
			answer, err := h.perform(r, []byte(body), owner)
			if err != nil {
				answer = h.refused(r, err)
			}
			if len(answer.body) > 0 {
				// Rows may have two columns of one name: SELECT tags.a, tags.b AS a.
				if _, err := twin.Decode(answer.body); err != nil && !strings.Contains(err.Error(), "duplicate") {
					t.Errorf("%s %s answered %s: %v", method, path, answer.body, err)
				}
			}
		}
		h.evaluate(morning)
		h.catchUp(morning.Add(time.Hour))
		for _, d := range h.fleet.all() {
			d.parse()
			d.decode()
		}
	})
}
