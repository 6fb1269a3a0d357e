package twin_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub/twin"
)

// reefer is a device twin as the hub writes one, with a number that float64
// would round, one that it would spell differently, and a member that twinrules
// does not know.
const reefer = `{"deviceId":"reefer#1","etag":"AAAAAAAAAAI=","deviceEtag":"MTI=","status":"enabled",
 "statusUpdateTime":"0001-01-01T00:00:00Z","connectionState":"Connected","lastActivityTime":"2026-11-20T10:00:00.1234567Z",
 "cloudToDeviceMessageCount":0,"x509Thumbprint":{"primaryThumbprint":null},"modelId":"dtmi:acme:reefer;1","version":7,
 "tags":{"site":"muc","weight":1.0},
 "properties":{"desired":{"big":9007199254740993,"fan":{"level":3},"$metadata":{"$lastUpdated":"2026-11-01T00:00:00Z","fan":{"$lastUpdated":"2026-11-02T00:00:00Z","level":{"$lastUpdated":"2026-11-03T00:00:00Z"}}},"$version":5},
  "reported":{"$version":9}},
 "capabilities":{"iotEdge":true},"somethingNew":[1,{"a":null}]}`

func parse(t *testing.T, text string) *twin.Twin {
	t.Helper()
	tw, err := twin.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return tw
}

func TestParse(t *testing.T) {
	tw := parse(t, reefer)
	type fields struct {
		Ref                                          twin.Ref
		ETag, DeviceETag, Status, Connection, Active string
		Model                                        string
		Version, DesiredVersion                      int64
		Edge                                         bool
	}
	got := fields{tw.Ref, tw.ETag, tw.DeviceETag, tw.Status, tw.ConnectionState, tw.LastActivityTime, tw.ModelID, tw.Version, tw.DesiredVersion(), tw.Edge}
	want := fields{twin.Ref{Device: "reefer#1"}, "AAAAAAAAAAI=", "MTI=", "enabled", "Connected", "2026-11-20T10:00:00.1234567Z", "dtmi:acme:reefer;1", 7, 5, true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if string(tw.JSON()) != reefer {
		t.Error("the bytes are not the hub's")
	}
	if got := string(twin.Encode(tw.Tags())); got != `{"site":"muc","weight":1.0}` {
		t.Errorf("tags are %s", got)
	}
	if v, _ := tw.Desired().Lookup("big"); v != json.Number("9007199254740993") {
		t.Errorf("the big number became %v", v)
	}
	if len(parse(t, `{"deviceId":"d","tags":null}`).Tags()) != 0 {
		t.Error("tags that are null are none")
	}
}

func TestUpdated(t *testing.T) {
	tw := parse(t, reefer)
	at, ok := tw.Updated("desired", "fan", "level")
	if want := time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC); !ok || !at.Equal(want) {
		t.Errorf("got %v, %v", at, ok)
	}
	if _, ok := tw.Updated("reported", "fan"); ok {
		t.Error("reported has no metadata")
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"not an object":         {`[1]`, "not an object"},
		"no id":                 {`{}`, "deviceId"},
		"an id with a slash":    {`{"deviceId":"a/b"}`, `must not contain "/"`},
		"a bad module id":       {`{"deviceId":"a","moduleId":"x y"}`, "moduleId"},
		"a key twice":           {`{"deviceId":"a","tags":{"x":1,"x":2}}`, `offset 30: duplicate key "x"`},
		"a key twice, escaped":  {`{"deviceId":"a","tags":{"x":1,"\u0078":2}}`, `duplicate key "x"`},
		"an id twice":           {`{"deviceId":"a","deviceId":"b"}`, `duplicate key "deviceId"`},
		"tags that are a list":  {`{"deviceId":"a","tags":[]}`, "a section is not an object"},
		"an id that is no text": {`{"deviceId":5}`, "not a string"},
		"cut off":               {reefer[:200], "the text ends"},
		"too deep":              {`{"deviceId":"a","tags":` + strings.Repeat(`{"a":`, 80) + "1" + strings.Repeat("}", 81), "nested more than 64 levels"},
		"text behind":           {`{"deviceId":"a"} x`, "text after the value"},
		"bad UTF-8":             {"{\"deviceId\":\"a\",\"tags\":{\"x\":\"\xff\"}}", "not UTF-8"},
		"a version with dot":    {`{"deviceId":"a","version":1.5}`, "not a whole number"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := twin.Parse([]byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestSyntaxErrorHasItsOffset(t *testing.T) {
	_, err := twin.Decode([]byte(`{"a": tru}`))
	syntax, ok := errors.AsType[*twin.SyntaxError](err)
	if !ok || syntax.Offset != 6 {
		t.Errorf("got %#v", err)
	}
}

func TestWith(t *testing.T) {
	tw := parse(t, reefer)
	after := tw.With(twin.Patch{Tags: twin.Object{"site": nil, "new": "x"}, Desired: twin.Object{"fan": twin.Object{"level": json.Number("4")}}})
	if got := string(twin.Encode(after.Tags())); got != `{"new":"x","weight":1.0}` {
		t.Errorf("tags are %s", got)
	}
	if v, _ := after.Desired().Lookup("fan", "level"); v != json.Number("4") {
		t.Errorf("the level is %v", v)
	}
	if v, _ := tw.Desired().Lookup("fan", "level"); v != json.Number("3") {
		t.Error("the twin itself was changed")
	}
}

func TestEqual(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{`1`, `1.0`, true}, {`1`, `10e-1`, true}, {`100`, `1E+2`, true}, {`0`, `-0.00e9`, true},
		{`9007199254740992`, `9007199254740993`, false}, {`1e999999999`, `1e999999998`, false}, {`1e999999999`, `10e999999998`, true},
		{`1`, `"1"`, false}, {`null`, `false`, false}, {`[1,2]`, `[1.0,2]`, true}, {`[1,2]`, `[2,1]`, false},
		{`{"a":1,"b":{}}`, `{"b":{},"a":1.0}`, true}, {`{"a":1}`, `{"a":1,"b":null}`, false}, {`-1`, `1`, false},
	} {
		a, err1 := twin.Decode([]byte(c.a))
		b, err2 := twin.Decode([]byte(c.b))
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if twin.Equal(a, b) != c.want || twin.Equal(b, a) != c.want {
			t.Errorf("%s and %s: equal is not %v", c.a, c.b, c.want)
		}
	}
}

func TestCheck(t *testing.T) {
	long := strings.Repeat("x", 4097)
	for name, c := range map[string]struct{ text, want string }{
		"fine":                {`{"a":{"b":[1,"x",true]},"` + "ключ" + `":1.5}`, ""},
		"a dot in a key":      {`{"a.b":1}`, `a.b: a key must not contain '.'`},
		"a space in a key":    {`{"x":{"a b":1}}`, `x.a b: a key must not contain ' '`},
		"a dollar in a key":   {`{"$x":1}`, `$x: a key must not contain '$'`},
		"metadata is ignored": {`{"$metadata":{"a b":1},"$version":3}`, ""},
		"a long string":       {`{"a":"` + long + `"}`, "a: a string of 4097 bytes, the hub takes 4096"},
		"a big integer":       {`{"a":4503599627370496}`, "a: the integer 4503599627370496 is beyond"},
		"the biggest integer": {`{"a":4503599627370495}`, ""},
		"a null in an array":  {`{"a":[1,null]}`, "a: a null inside an array"},
		"ten levels":          {strings.Repeat(`{"a":`, 10) + "1" + strings.Repeat("}", 10), ""},
		"eleven levels":       {strings.Repeat(`{"a":`, 11) + "1" + strings.Repeat("}", 11), "nested more than 10 levels"},
		"a long key":          {`{"` + strings.Repeat("k", 1025) + `":1}`, "a key of 1025 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := twin.DecodeObject([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, v := range twin.CheckDesired(o) {
				got = append(got, v.String())
			}
			if all := strings.Join(got, "; "); (c.want == "") != (all == "") || !strings.Contains(all, c.want) {
				t.Errorf("got %q, want %q", all, c.want)
			}
		})
	}
	var big []string
	for i := range 3 {
		big = append(big, `"k`+string(rune('a'+i))+`":"`+long[:4000]+`"`)
	}
	o, _ := twin.DecodeObject([]byte("{" + strings.Join(big, ",") + "}"))
	if v := twin.CheckTags(o); len(v) != 1 || v[0].Reason != "12006 bytes, the hub takes 8192" {
		t.Errorf("got %v", v)
	}
	if v := twin.CheckDesired(o); len(v) != 0 {
		t.Errorf("got %v", v)
	}
}

func TestConfiguration(t *testing.T) {
	c, err := twin.ParseConfiguration([]byte(`{"id":"tr-x","etag":"MQ==","labels":null,"content":{"deviceContent":{"properties.desired.n":1.0}},
	 "targetCondition":"*","priority":3,"metrics":{"queries":{"m":"SELECT deviceId FROM devices"},"results":{}},"systemMetrics":{"results":{"targetedCount":4},"queries":{}}}`))
	if err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(c)
	if want := `{"id":"tr-x","etag":"MQ==","content":{"deviceContent":{"properties.desired.n":1.0}},"targetCondition":"*","priority":3,"metrics":{"queries":{"m":"SELECT deviceId FROM devices"}}}`; err != nil || string(out) != want {
		t.Errorf("got %s, %v", out, err)
	}
	if c.Counts["targetedCount"] != 4 {
		t.Errorf("counts are %v", c.Counts)
	}
	if _, err := twin.ParseConfiguration([]byte(`{"id":""}`)); err == nil {
		t.Error("a configuration without an id was read")
	}
}

func TestLeaves(t *testing.T) {
	tw := parse(t, `{"deviceId":"d","tags":{"a":1,"o":{"x":1}}}`)
	leaf := func(value any, path ...string) twin.Leaf { return twin.Leaf{Section: "tags", Path: path, Value: value} }
	for name, c := range map[string]struct {
		leaf  twin.Leaf
		holds bool
	}{
		"the value":                {leaf(json.Number("1.0"), "a"), true},
		"another value":            {leaf(json.Number("2"), "a"), false},
		"absence of what is there": {leaf(nil, "a"), false},
		"absence of what is not":   {leaf(nil, "o", "y"), true},
		"an object":                {leaf(twin.Object{}, "o"), true},
		"an object for a number":   {leaf(twin.Object{}, "a"), false},
	} {
		if c.leaf.Holds(tw) != c.holds {
			t.Errorf("%s: holds is not %v", name, c.holds)
		}
	}
	for name, c := range map[string]struct {
		a, b   twin.Leaf
		agrees bool
	}{
		"elsewhere":                     {leaf("1", "a"), leaf("2", "b"), true},
		"the same":                      {leaf(json.Number("1"), "a"), leaf(json.Number("1.0"), "a"), true},
		"different":                     {leaf("1", "a"), leaf("2", "a"), false},
		"below a scalar":                {leaf("1", "a"), leaf("2", "a", "b"), false},
		"below an object":               {leaf(twin.Object{}, "a"), leaf("2", "a", "b"), true},
		"below what is removed":         {leaf(nil, "a"), leaf("2", "a", "b"), false},
		"removed below what is removed": {leaf(nil, "a"), leaf(nil, "a", "b"), true},
	} {
		if c.a.Agrees(c.b) != c.agrees || c.b.Agrees(c.a) != c.agrees {
			t.Errorf("%s: agrees is not %v", name, c.agrees)
		}
	}
}
