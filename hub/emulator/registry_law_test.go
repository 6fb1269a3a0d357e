package emulator

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/hub/twin"
)

// TestLawOfBulk: a bulk request is the same as its operations by themselves. The
// clock stands at the hub's "never", because twins born in bulk have no time.
func TestLawOfBulk(t *testing.T) {
	owner := &principal{roles: []*Role{DataContributor}}
	rapid.Check(t, func(t *rapid.T) {
		single, bulk := lawHub(), lawHub()
		do := func(h *hub, method, path, body, ifMatch string) int {
			r := httptest.NewRequest(method, path+"?api-version=2021-04-12", nil)
			if ifMatch != "" {
				r.Header.Set("If-Match", ifMatch)
			}
			a, err := h.perform(r, []byte(body), owner)
			if err != nil {
				a = h.refused(r, err)
			}
			return a.status
		}
		var entries []string
		failed := false
		for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 1, 4, rapid.ID).Draw(t, "ids") {
			op := rapid.SampledFrom(bulkLaw).Draw(t, "operation")
			module := rapid.SampledFrom([]string{"", "m"}).Draw(t, "module")
			path, ids := "/devices/"+id, `"deviceId":"`+id+`"`
			entry := `{"id":"` + id + `","importMode":"` + op.mode + `"`
			if module != "" {
				path, ids, entry = path+"/modules/m", ids+`,"moduleId":"m"`, entry+`,"moduleId":"m"`
			}
			if op.twin {
				path = strings.Replace(path, "/devices/", "/twins/", 1)
			}
			status := do(single, op.method, path, "{"+ids+op.body+"}", op.ifMatch)
			failed = failed || status >= 400
			entries = append(entries, entry+op.body+"}")
		}
		if status := do(bulk, "POST", "/devices", "["+strings.Join(entries, ",")+"]", ""); (status == 400) != failed {
			t.Fatalf("bulk has status %d, by themselves failed: %t", status, failed)
		}
		if one, other := state(single), state(bulk); one != other {
			t.Fatalf("by themselves\n%s\nin bulk\n%s", one, other)
		}
	})
}

// bulkLaw lists operations, by themselves and in bulk.
var bulkLaw = []struct {
	mode, method, ifMatch, body string
	twin                        bool
}{
	{mode: "create", method: "PUT"},
	{mode: "create", method: "PUT", body: `,"status":"asleep"`},
	{mode: "create", method: "PUT", body: `,"capabilities":{"iotEdge":true}`},
	{mode: "update", method: "PUT", ifMatch: "*", body: `,"status":"disabled","statusReason":"x"`},
	{mode: "updateIfMatchETag", method: "PUT", ifMatch: "MTE=", body: `,"eTag":"MTE=","managedBy":"me"`},
	{mode: "updateIfMatchETag", method: "PUT", ifMatch: "MTA=", body: `,"eTag":"MTA="`},
	{mode: "delete", method: "DELETE", ifMatch: "*"},
	{mode: "deleteIfMatchETag", method: "DELETE", ifMatch: "MTA=", body: `,"eTag":"MTA="`},
	{mode: "updateTwin", method: "PATCH", twin: true, body: `,"tags":{"a":1,"old":null},"properties":{"desired":{"b":{"c":null}}}`},
	{mode: "updateTwin", method: "PATCH", twin: true, body: `,"tags":{"$":1}`},
	{mode: "updateTwinIfMatchETag", method: "PATCH", twin: true, ifMatch: "AAAAAAAAAAE=", body: `,"twinETag":"AAAAAAAAAAE=","tags":{"x":{}}`},
}

// lawHub returns a hub at the hub's "never", with two devices and a module.
func lawHub() *hub {
	h := &hub{dice: newDice(1), now: func() time.Time { return time.Time{} }, pageSize: 2, fleet: newFleet(),
		configurations: configurations{byID: map[string]*configuration{}}}
	twins := func(yield func(*twin.Twin, error) bool) {
		for _, text := range []string{`{"deviceId":"a","deviceEtag":"MTE=","tags":{"old":1}}`, `{"deviceId":"a","moduleId":"m","deviceEtag":"MTE="}`, `{"deviceId":"b"}`} {
			if !yield(twin.Parse([]byte(text))) {
				return
			}
		}
	}
	if err := h.seedTwins(twins); err != nil {
		panic(err)
	}
	return h
}

// state renders all twins and registrations of h.
func state(h *hub) string {
	var b strings.Builder
	for _, d := range h.fleet.all() {
		fmt.Fprintf(&b, "%s %s\n", d.json, marshal(h.registration(d.ref)))
	}
	return b.String()
}

// TestLawOfDigitalPatches: what a patch that is taken leaves in the desired
// properties is what RFC 6902 makes of them, and a hub takes it.
func TestLawOfDigitalPatches(t *testing.T) {
	names := rapid.SampledFrom([]string{"a", "b", "c"})
	values := rapid.SampledFrom([]string{`1`, `"x"`, `{"d":2}`, `{"$metadata":{},"d":{"e":true}}`})
	rapid.Check(t, func(t *rapid.T) {
		h := lawHub()
		for range 4 {
			path := "/" + names.Draw(t, "name")
			if rapid.Bool().Draw(t, "below") {
				path += "/" + names.Draw(t, "below name")
			}
			op := rapid.SampledFrom([]string{"add", "replace", "remove"}).Draw(t, "op")
			value := values.Draw(t, "value")
			before := h.fleet.documents[twin.Ref{Device: "b"}].parse()
			_, err := h.patchDigitalTwin(&call{ids: []string{"b"}, body: fmt.Appendf(nil, `[{"op":%q,"path":%q,"value":%s}]`, op, path, value)})
			after := h.fleet.documents[twin.Ref{Device: "b"}].parse()
			if err != nil {
				if after.ETag != before.ETag {
					t.Fatal("a refused patch was written")
				}
				continue
			}
			got, there := after.Desired().Lookup(strings.Split(path[1:], "/")...)
			if op == "remove" {
				if there {
					t.Fatalf("%s is still there", path)
				}
				continue
			}
			want, err := twin.Decode([]byte(strings.Replace(value, `"$metadata":{}`, `"__t":"c"`, 1)))
			if err != nil {
				t.Fatal(err)
			}
			if !twin.Equal(got, want) {
				t.Fatalf("%s %s %s left %s", op, path, value, twin.Encode(got))
			}
		}
	})
}

// TestMethodsTakeTimeOnTheRealClock: the service waits as long as the device
// takes, and no longer than it said it would.
func TestMethodsTakeTimeOnTheRealClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := lawHub()
		h.real, h.ctx, h.now = true, t.Context(), time.Now
		ref := twin.Ref{Device: "b"}
		for _, test := range []struct {
			after, want time.Duration
			fails       bool
		}{{0, 0, false}, {3 * time.Second, 3 * time.Second, false}, {Never, 20 * time.Second, true}} {
			if err := h.connect(ref, sleeper(test.after), time.Now()); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			_, err := h.invokeAndWait(ref, method{name: "m", response: 20 * time.Second})
			if took := time.Since(began); took != test.want || (err != nil) != test.fails {
				t.Errorf("it took %s, want %s (%v)", took, test.want, err)
			}
		}
		ending, end := context.WithCancel(t.Context())
		h.ctx = ending
		end()
		began := time.Now()
		if _, err := h.invokeAndWait(ref, method{name: "m", response: time.Hour}); err == nil || time.Since(began) > 0 {
			t.Error("a method outlives its emulator")
		}
	})
}

// A sleeper takes its time for every method.
type sleeper time.Duration

func (s sleeper) Invoke(string, json.RawMessage) MethodResult {
	return MethodResult{Status: 200, After: time.Duration(s)}
}
func (sleeper) Update(twin.Object) twin.Object { return nil }

func FuzzDigitalPatch(f *testing.F) {
	f.Add(`[{"op":"add","path":"/a/b","value":{"c":1}}]`)
	f.Add(`[{"op":"remove","path":"/a~1b"}]`)
	f.Fuzz(func(t *testing.T, body string) {
		h := lawHub()
		_, err := h.patchDigitalTwin(&call{ids: []string{"b"}, body: []byte(body)})
		if _, ok := err.(*refusal); err != nil && !ok {
			t.Errorf("%q: %v", body, err)
		}
		if found := twin.CheckDesired(h.fleet.documents[twin.Ref{Device: "b"}].parse().Desired()); len(found) > 0 {
			t.Errorf("%q left %v", body, found)
		}
	})
}

func FuzzImportEntry(f *testing.F) {
	f.Add(`{"id":"a","importMode":"updateTwin","tags":{"a":1}}`)
	f.Add(`{"id":"e","importMode":"create","capabilities":{"iotEdge":true},"authentication":{"type":"selfSigned"}}`)
	f.Add(`{"id":"a","moduleId":"m","importMode":"delete"}`)
	f.Fuzz(func(t *testing.T, line string) {
		h := lawHub()
		e, err := readImportEntry([]byte(line))
		if err == nil {
			err = h.importEntry(e, morning)
		}
		if err != nil && e.failure(err).ErrorCode == 0 {
			t.Errorf("%q fails without a code: %v", line, err)
		}
		for _, d := range h.fleet.all() {
			d.parse()
			if d.ref.Module == "" {
				h.identityOf(d)
			}
		}
	})
}
