package emulator_test

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

// bare is a device twin that was never written, in the observed order of keys.
const bare = `{"deviceId":"d1","etag":"AAAAAAAAAAE=","deviceEtag":"MTE=","status":"enabled","statusUpdateTime":"0001-01-01T00:00:00Z",` +
	`"connectionState":"Disconnected","lastActivityTime":"0001-01-01T00:00:00Z","cloudToDeviceMessageCount":0,"authenticationType":"sas",` +
	`"x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},"modelId":"","version":2,` +
	`"properties":{"desired":{"$metadata":{"$lastUpdated":"2026-03-01T12:00:00.1234567Z"},"$version":1},` +
	`"reported":{"$metadata":{"$lastUpdated":"2026-03-01T12:00:00.1234567Z"},"$version":1}},"capabilities":{"iotEdge":false}}`

func TestTwinAtCreation(t *testing.T) {
	e := start(t, &emulator.Options{Now: newClock().now, Twins: fleet(`{"deviceId":"d1","deviceEtag":"MTE=","tags":{}}`)})
	r := connect(t, e, 0).do("GET", "/twins/d1", "").want(200, "")
	if diff := cmp.Diff(bare, r.body); diff != "" {
		t.Error(diff)
	}
	if got := r.header.Get("ETag"); got != "" {
		t.Errorf("got an ETag header %s, a twin has none", got)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json; charset=utf-8", "Server": "Microsoft-HTTPAPI/2.0", "Vary": "Origin",
	} {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if r.header.Get("x-ms-request-id") == "" {
		t.Error("no x-ms-request-id")
	}
}

// TestRecordedTwinStays seeds with what a hub has sent, down to its spelling.
func TestRecordedTwinStays(t *testing.T) {
	recorded := strings.Replace(bare, `"properties"`, `"tags":{"b":1.50, "a":"\u00e9"},"properties"`, 1)
	e := start(t, &emulator.Options{Twins: fleet(recorded)})
	if got := connect(t, e, 0).do("GET", "/twins/d1", "").body; got != recorded {
		t.Errorf("got %s, want %s", got, recorded)
	}
}

// TestSeedsAreMended seeds with what a hub would never send.
func TestSeedsAreMended(t *testing.T) {
	e := start(t, &emulator.Options{Now: newClock().now, Twins: fleet(
		`{"deviceId":"d1","deviceEtag":"MTE=","tags":null,"modelId":null,"properties":{"desired":{"$version":1,"gone":null},"reported":null}}`,
		`{"deviceId":"d1","version":1,"tags":{"older":true}}`)})
	if got := connect(t, e, 0).do("GET", "/twins/d1", "").body; got != bare {
		t.Errorf("got %s, want %s", got, bare)
	}
}

func TestModuleTwinHidesWhatOnlyQueriesShow(t *testing.T) {
	e := start(t, &emulator.Options{Twins: fleet(
		`{"deviceId":"d1","moduleId":"$edgeAgent","configurations":{"c":{"status":"Applied"}},"future":[1.50]}`)})
	c := connect(t, e, 0)
	got := c.do("GET", "/twins/d1/modules/$edgeAgent", "").want(200, "").object()
	for _, hidden := range []string{"capabilities", "configurations"} {
		if _, ok := got[hidden]; ok {
			t.Errorf("GET shows %s", hidden)
		}
	}
	c.do("POST", "/devices/query", `{"query":"SELECT * FROM devices.modules"}`).want(200, "").
		contains(`"configurations":{"c":{"status":"Applied"}},"capabilities":{"iotEdge":false},"future":[1.50]`)
}

// TestCounters follows the table of what moves which counter.
func TestCounters(t *testing.T) {
	ref := twin.Ref{Device: "d1"}
	for _, test := range []struct {
		name                  string
		method, body          string
		report                twin.Object
		etag, version         int64 // how far they move
		desired, reportedMove int64
	}{
		{name: "patch tags", method: "PATCH", body: `{"tags":{"a":1}}`, etag: 1, version: 1},
		{name: "patch desired", method: "PATCH", body: `{"properties":{"desired":{"a":2}}}`, etag: 1, version: 1, desired: 1},
		{name: "patch equal desired", method: "PATCH", body: `{"properties":{"desired":{"fan":1}}}`, etag: 1, version: 1, desired: 1},
		{name: "patch both", method: "PATCH", body: `{"tags":{"a":1},"properties":{"desired":{"a":2}}}`, etag: 1, version: 1, desired: 1},
		{name: "patch reported is ignored", method: "PATCH", body: `{"tags":{},"properties":{"reported":{"a":2}}}`, etag: 1, version: 1},
		{name: "put", method: "PUT", body: `{"tags":{"a":1}}`, etag: 1, version: 1, desired: 1},
		{name: "device reports", report: twin.Object{"x": true}, version: 1, reportedMove: 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := start(t, &emulator.Options{Twins: fleet(`{"deviceId":"d1","properties":{"desired":{"fan":1}}}`)})
			before, err := e.Twin(ref)
			if err != nil {
				t.Fatal(err)
			}
			if test.report != nil {
				if err := e.Report(ref, test.report); err != nil {
					t.Fatal(err)
				}
			} else {
				connect(t, e, 0).do(test.method, "/twins/d1", test.body).want(200, "")
			}
			after, err := e.Twin(ref)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := after.Version-before.Version, test.version; got != want {
				t.Errorf("version moved by %d, want %d", got, want)
			}
			if got, want := after.DesiredVersion()-before.DesiredVersion(), test.desired; got != want {
				t.Errorf("desired $version moved by %d, want %d", got, want)
			}
			if got, want := after.Reported()["$version"], fmt.Sprint(1+test.reportedMove); fmt.Sprint(got) != want {
				t.Errorf("reported $version is %v, want %s", got, want)
			}
			if got, want := after.ETag, []string{"AAAAAAAAAAE=", "AAAAAAAAAAI="}[test.etag]; got != want {
				t.Errorf("etag is %s, want %s", got, want)
			}
			if after.DeviceETag != before.DeviceETag {
				t.Error("the etag of the identity moved")
			}
		})
	}
}

func TestTwinWrites(t *testing.T) {
	const seed = `{"deviceId":"d1","tags":{"site":"muc","room":{"no":7}},"properties":{"desired":{"fan":{"max":3,"min":1},"list":[1,2]}}}`
	for _, test := range []struct {
		name, method, body string
		tags, desired      string
	}{
		{"objects merge", "PATCH", `{"properties":{"desired":{"fan":{"max":4}}}}`,
			`{"room":{"no":7},"site":"muc"}`, `{"fan":{"max":4,"min":1},"list":[1,2]}`},
		{"null deletes at any depth", "PATCH", `{"tags":{"room":{"no":null}},"properties":{"desired":{"list":null}}}`,
			`{"room":{},"site":"muc"}`, `{"fan":{"max":3,"min":1}}`},
		{"null below nothing makes an object", "PATCH", `{"tags":{"x":{"y":null}}}`,
			`{"room":{"no":7},"site":"muc","x":{}}`, `{"fan":{"max":3,"min":1},"list":[1,2]}`},
		{"arrays and types replace whole", "PATCH", `{"properties":{"desired":{"fan":"off","list":[{"a":1}]}}}`,
			`{"room":{"no":7},"site":"muc"}`, `{"fan":"off","list":[{"a":1}]}`},
		{"numbers keep their spelling", "PATCH", `{"tags":{"a":1.0,"b":1E2,"c":4503599627370495,"d":0.10}}`,
			`{"a":1.0,"b":1E2,"c":4503599627370495,"d":0.10,"room":{"no":7},"site":"muc"}`, `{"fan":{"max":3,"min":1},"list":[1,2]}`},
		{"empty keys and unicode", "PATCH", `{"tags":{"":1,"größe":"<&>"}}`,
			`{"":1,"größe":"<&>","room":{"no":7},"site":"muc"}`, `{"fan":{"max":3,"min":1},"list":[1,2]}`},
		{"whole twins are taken for what they set", "PATCH",
			`{"deviceId":"other","etag":"x","version":99,"tags":{"site":"ber"},"properties":{"desired":{"fan":{"max":5},"$metadata":{"fan":1},"$version":99},"reported":{"z":1}}}`,
			`{"room":{"no":7},"site":"ber"}`, `{"fan":{"max":5,"min":1},"list":[1,2]}`},
		{"put replaces", "PUT", `{"tags":{"a":{"b":null}},"properties":{"desired":{"fan":2}}}`, `{"a":{}}`, `{"fan":2}`},
		{"put without sections clears", "PUT", `{}`, `{}`, `{}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := start(t, &emulator.Options{Twins: fleet(seed)})
			c := connect(t, e, 0)
			answer := c.do(test.method, "/twins/d1", test.body).want(200, "")
			if get := c.do("GET", "/twins/d1", "").body; get != answer.body {
				t.Errorf("the answer is not the twin:\n%s\n%s", answer.body, get)
			}
			got := answer.twin()
			if got := string(twin.Encode(got.Tags())); got != test.tags {
				t.Errorf("tags: got %s, want %s", got, test.tags)
			}
			desired := got.Desired()
			delete(desired, "$metadata")
			delete(desired, "$version")
			if got := string(twin.Encode(desired)); got != test.desired {
				t.Errorf("desired: got %s, want %s", got, test.desired)
			}
			if _, exists := answer.object()["tags"]; exists == (test.tags == "{}") {
				t.Error("tags have to be absent when they are empty, and only then")
			}
		})
	}
}

func TestMetadata(t *testing.T) {
	clock := newClock()
	e := start(t, &emulator.Options{Now: clock.now, Twins: fleet(`{"deviceId":"d1","properties":{"desired":{"fan":{"max":3,"min":1},"list":[1]}}}`)})
	c := connect(t, e, 0)
	clock.pass(time.Minute)
	c.do("PATCH", "/twins/d1", `{"properties":{"desired":{"fan":{"max":4},"list":null,"new":{"deep":[{"a":1}]}}}}`).want(200, "").
		contains(`{"$lastUpdated":"2026-03-01T12:01:00.1234567Z","$lastUpdatedVersion":2,` +
			`"fan":{"$lastUpdated":"2026-03-01T12:01:00.1234567Z","$lastUpdatedVersion":2,` +
			`"max":{"$lastUpdated":"2026-03-01T12:01:00.1234567Z","$lastUpdatedVersion":2},` +
			`"min":{"$lastUpdated":"2026-03-01T12:00:00.1234567Z","$lastUpdatedVersion":1}},` +
			`"new":{"$lastUpdated":"2026-03-01T12:01:00.1234567Z","$lastUpdatedVersion":2,` +
			`"deep":{"$lastUpdated":"2026-03-01T12:01:00.1234567Z","$lastUpdatedVersion":2}}},"$version":2}`)
	clock.pass(time.Minute)
	if err := e.Report(twin.Ref{Device: "d1"}, twin.Object{"t": twin.Object{"c": "20"}}); err != nil {
		t.Fatal(err)
	}
	got, err := e.Twin(twin.Ref{Device: "d1"})
	if err != nil {
		t.Fatal(err)
	}
	when, ok := got.Updated("reported", "t", "c")
	if want := clock.now(); !ok || !when.Equal(want) {
		t.Errorf("reported at %v, want %v", when, want)
	}
	if meta := got.Reported()["$metadata"]; strings.Contains(string(twin.Encode(meta)), "$lastUpdatedVersion") {
		t.Errorf("reported properties have no version in their metadata: %s", twin.Encode(meta))
	}
}

func TestIfMatch(t *testing.T) {
	for _, test := range []struct {
		header string
		status int
	}{
		{"", 200}, {`""`, 200}, {"*", 200}, {`"*"`, 200},
		{`"AAAAAAAAAAE="`, 200}, {"AAAAAAAAAAE=", 200},
		{`"AAAAAAAAAAI="`, 412}, {"AAAAAAAAAAI=", 412},
	} {
		for _, method := range []string{"PATCH", "PUT"} {
			t.Run(method+" "+test.header, func(t *testing.T) {
				e := start(t, &emulator.Options{Twins: fleet(`{"deviceId":"d1"}`, `{"deviceId":"d1","moduleId":"m"}`)})
				c := connect(t, e, 0)
				r := c.do(method, "/twins/d1", `{"tags":{"a":1}}`, "If-Match", test.header)
				module := c.do(method, "/twins/d1/modules/m", `{"tags":{"a":1}}`, "If-Match", test.header)
				if test.status == 200 {
					r.want(200, "")
					module.want(200, "")
					return
				}
				r.want(412, "PreconditionFailed").contains(`"Message":"ErrorCode:PreconditionFailed;ETag mismatch for device ID 'd1'"`)
				module.want(412, "PreconditionFailed").contains(`ETag mismatch for device ID 'd1', module ID 'm'`)
				if got := c.do("GET", "/twins/d1", "").twin().Version; got != 2 {
					t.Errorf("the twin was written all the same: version %d", got)
				}
			})
		}
	}
}

func TestRefusedWrites(t *testing.T) {
	e := start(t, &emulator.Options{Twins: fleet(`{"deviceId":"d1"}`)})
	c := connect(t, e, 0)
	deep := strings.Repeat(`{"a":`, 11) + "1" + strings.Repeat("}", 11)
	var wide []string // 9 KB in small strings
	for i := range 10 {
		wide = append(wide, fmt.Sprintf(`"k%d":%q`, i, strings.Repeat("x", 900)))
	}
	for _, test := range []struct {
		name, body string
		status     int
		code, text string
	}{
		{"dot in a key", `{"tags":{"a":{"b.c":1}}}`, 400, "ArgumentInvalid",
			`"ErrorCode:ArgumentInvalid;Property or Tag name has invalid characters. Error in Property/Tag b.c. Must not contain Control Characters, '.', '$', '#', or ' '."`},
		{"dollar in a key", `{"properties":{"desired":{"a":{"$b":1}}}}`, 400, "ArgumentInvalid", "Error in Property/Tag $b."},
		{"control in a key", `{"tags":{"a\u0085":null}}`, 400, "ArgumentInvalid", "Error in Property/Tag a"},
		{"too deep", `{"tags":` + deep + `}`, 400, "ArgumentInvalid", "nested more than 10"},
		{"tags too big", `{"tags":{` + strings.Join(wide, ",") + `}}`, 400, "ArgumentInvalid", "the hub takes 8192"},
		{"integer too big", `{"tags":{"a":4503599627370497}}`, 400, "ArgumentInvalid", "4503599627370497"},
		{"null in an array", `{"tags":{"a":[null]}}`, 400, "ArgumentInvalid", "null inside an array"},
		{"string too long", `{"tags":{"a":"` + strings.Repeat("x", 4097) + `"}}`, 400, "ArgumentInvalid", "4097 bytes"},
		{"section is null", `{"tags":null}`, 400, "ArgumentInvalid", "tags is not an object"},
		{"section is a number", `{"properties":{"desired":1}}`, 400, "ArgumentInvalid", "desired is not an object"},
		{"no JSON", `{"tags":`, 400, "IotHubFormatError", ""},
		{"duplicate key", `{"tags":{},"tags":{}}`, 400, "IotHubFormatError", "duplicate key"},
		{"no body", ``, 400, "IotHubFormatError", ""},
		{"too long a body", `{"tags":{"a":"` + strings.Repeat("x", 1<<20) + `"}}`, 413, "MessageTooLarge", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c.do("PATCH", "/twins/d1", test.body).want(test.status, test.code).contains(test.text)
		})
	}
	if got := c.do("GET", "/twins/d1", "").twin().Version; got != 2 {
		t.Errorf("a refused write moved the version to %d", got)
	}
}

func TestPaths(t *testing.T) {
	e := start(t, &emulator.Options{Twins: fleet(
		`{"deviceId":"a#b?c%d"}`, `{"deviceId":"query"}`, `{"deviceId":"d1","moduleId":"$edgeHub"}`)})
	c := connect(t, e, 0)
	for _, test := range []struct {
		method, path string
		status       int
		code         string
	}{
		{"GET", "/twins/" + url.PathEscape("a#b?c%d"), 200, ""},
		{"GET", "/twins/query", 200, ""},
		{"GET", "/twins/query/", 200, ""},
		{"GET", "/twins/d1/modules/$edgeHub", 200, ""},
		{"GET", "/twins/d1/modules/%24edgeHub/", 200, ""},
		{"GET", "/twins/d1", 404, "DeviceNotFound"},
		{"GET", "/twins/d1/modules/m", 404, "DeviceNotFound"},
		{"PATCH", "/twins/none", 404, "DeviceNotFound"},
		{"GET", "/twins/d1%2Fmodules%2F$edgeHub", 404, "DeviceNotFound"},
		{"GET", "/twins/", 400, "InvalidOperation"},
		{"GET", "/twins//modules/x", 400, "InvalidOperation"},
		{"DELETE", "/twins/d1", 400, "InvalidOperation"},
		{"GET", "/nothing", 400, "InvalidOperation"},
		{"GET", "/twins/query?x=1", 400, "InvalidProtocolVersion"},
		{"GET", "/twins/query?api-version=2031-01-01", 400, "InvalidProtocolVersion"},
		{"GET", "/twins/query?api-version=2020-09-30", 200, ""},
	} {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			c.do(test.method, test.path, "{}").want(test.status, test.code)
		})
	}
}

func TestErrorBody(t *testing.T) {
	e := start(t, &emulator.Options{Now: newClock().now})
	r := connect(t, e, 0).do("GET", "/twins/d1", "").want(404, "DeviceNotFound")
	o := r.object()
	if got, want := o["Message"], "ErrorCode:DeviceNotFound;device ID 'd1'"; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if text, _ := o["ExceptionMessage"].(string); !strings.HasPrefix(text, "Tracking ID:") || !strings.HasSuffix(text, "-G:10-TimeStamp:03/01/2026 12:00:00") {
		t.Errorf("got %v, want a tracking id", o["ExceptionMessage"])
	}
}

// TestOneOfManyWins sends conditional writes at once: one of each round's etag
// may win, and no write may be lost.
func TestOneOfManyWins(t *testing.T) {
	e := start(t, &emulator.Options{Twins: fleet(`{"deviceId":"d1"}`)})
	c := connect(t, e, 0)
	const writers, rounds = 8, 5
	for round := range rounds {
		etag := c.do("GET", "/twins/d1", "").twin().ETag
		var wg sync.WaitGroup
		statuses := make([]int, writers)
		for i := range writers {
			wg.Go(func() {
				r, err := c.try("PATCH", "/twins/d1", fmt.Sprintf(`{"tags":{"r%d":{"w":%d}}}`, round, i), "If-Match", etag)
				if err == nil {
					statuses[i] = r.status
				}
			})
		}
		wg.Wait()
		won := 0
		for _, status := range statuses {
			if status == 200 {
				won++
			} else if status != 412 {
				t.Errorf("got status %d, want 200 or 412", status)
			}
		}
		if won != 1 {
			t.Errorf("round %d: %d writers won, want one", round, won)
		}
	}
	if got := c.do("GET", "/twins/d1", "").twin(); got.Version != 2+rounds || len(got.Tags()) != rounds {
		t.Errorf("got version %d and %d tags, want %d and %d", got.Version, len(got.Tags()), 2+rounds, rounds)
	}
}

func TestOthersWrite(t *testing.T) {
	e := start(t, &emulator.Options{Twins: fleet(`{"deviceId":"d1"}`, `{"deviceId":"d1","moduleId":"m"}`)})
	ref := twin.Ref{Device: "d1"}
	if err := e.Patch(ref, twin.Patch{Desired: twin.Object{"fan": "on"}}); err != nil {
		t.Fatal(err)
	}
	c := connect(t, e, 0)
	if got := c.do("GET", "/twins/d1", "").twin(); got.Version != 3 || got.Desired()["fan"] != "on" {
		t.Errorf("got %s", got.JSON())
	}
	if err := e.Patch(ref, twin.Patch{Tags: twin.Object{"a b": 1}}); err == nil {
		t.Error("a service wrote what the hub refuses")
	}
	e.Delete(ref)
	c.do("GET", "/twins/d1", "").want(404, "DeviceNotFound")
	c.do("GET", "/twins/d1/modules/m", "").want(404, "DeviceNotFound")
	if err := e.Report(ref, twin.Object{"x": true}); err == nil {
		t.Error("a deleted device reported")
	}
	again, err := twin.Parse([]byte(`{"deviceId":"d1"}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Put(again); err != nil {
		t.Fatal(err)
	}
	if got := c.do("GET", "/twins/d1", "").want(200, "").twin(); got.ETag != "AAAAAAAAAAE=" {
		t.Errorf("a device made anew has etag %s", got.ETag)
	}
}

// TestStateCanBeSaved starts a second emulator from the state of the first.
func TestStateCanBeSaved(t *testing.T) {
	first := start(t, &emulator.Options{Twins: numbered(3), Now: newClock().now})
	if err := first.Report(twin.Ref{Device: "d001"}, twin.Object{"x": true}); err != nil {
		t.Fatal(err)
	}
	saved := func(yield func(*twin.Twin, error) bool) {
		for d := range first.Twins() {
			if !yield(d, nil) {
				return
			}
		}
	}
	second := start(t, &emulator.Options{Twins: saved, Seed: 99})
	var got, want []string
	for d := range first.Twins() {
		want = append(want, string(d.JSON()))
	}
	for d := range second.Twins() {
		got = append(got, string(d.JSON()))
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) != 3 {
		t.Error(diff)
	}
}
