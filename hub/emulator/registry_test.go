package emulator_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

// as returns a client that signs with a shared access policy.
func as(t testing.TB, e *emulator.Emulator, policy string, now time.Time) *signing {
	t.Helper()
	parts := strings.SplitN(e.ConnectionStringOf(policy), "SharedAccessKey=", 2)
	if len(parts) != 2 {
		t.Fatalf("no policy %s", policy)
	}
	key, err := base64.StdEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	se := fmt.Sprint(now.Add(24 * time.Hour).Unix())
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(e.HubName() + "\n" + se))
	c := &client{t: t, e: e, http: e.HTTPClient()}
	t.Cleanup(c.http.CloseIdleConnections)
	return &signing{c, fmt.Sprintf("SharedAccessSignature sr=%s&sig=%s&skn=%s&se=%s",
		e.HubName(), url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil))), policy, se)}
}

type signing struct {
	client    *client
	signature string
}

func (s *signing) do(method, path, body string, header ...string) *response {
	s.client.t.Helper()
	return s.client.do(method, path, body, append(header, "Authorization", s.signature)...)
}

// step is one request and what has to come of it.
type step struct {
	name, method, path, body string
	ifMatch                  string
	status                   int
	code                     string
	contains                 string
}

func run(t *testing.T, do func(method, path, body string, header ...string) *response, steps []step) {
	t.Helper()
	for _, s := range steps {
		t.Run(s.name, func(t *testing.T) {
			var header []string
			if s.ifMatch != "" {
				header = []string{"If-Match", s.ifMatch}
			}
			r := do(s.method, s.path, s.body, header...)
			r.t = t
			r.want(s.status, s.code).contains(s.contains)
		})
	}
}

const deviceD1 = `{"deviceId":"d1"}`

func TestDeviceLife(t *testing.T) {
	clock := newClock()
	e := start(t, &emulator.Options{Now: clock.now, Seed: 1})
	c := connect(t, e, 0)
	created := c.do("PUT", "/devices/d1", `{"deviceId":"d1","authentication":{"type":"sas","symmetricKey":{"primaryKey":"","secondaryKey":""}}}`).want(200, "")
	o := created.object()
	keys, _ := o.Lookup("authentication", "symmetricKey", "primaryKey")
	second, _ := o.Lookup("authentication", "symmetricKey", "secondaryKey")
	want := fmt.Sprintf(`{"deviceId":"d1","generationId":"%s","etag":"%s","connectionState":"Disconnected","status":"enabled","statusReason":null,`+
		`"connectionStateUpdatedTime":"0001-01-01T00:00:00","statusUpdatedTime":"0001-01-01T00:00:00","lastActivityTime":"0001-01-01T00:00:00",`+
		`"cloudToDeviceMessageCount":0,"authentication":{"symmetricKey":{"primaryKey":"%s","secondaryKey":"%s"},`+
		`"x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},"type":"sas"},"capabilities":{"iotEdge":false}}`,
		o["generationId"], o["etag"], keys, second)
	if diff := cmp.Diff(want, created.body); diff != "" {
		t.Error(diff)
	}
	if len(o["generationId"].(string)) != 18 || keys == "" || keys == second {
		t.Errorf("generation and keys are not as the hub makes them: %s", created.body)
	}
	if got := created.header.Get("ETag"); got != `"`+o["etag"].(string)+`"` {
		t.Errorf("got ETag %s", got)
	}
	got := c.do("GET", "/devices/d1/", "").want(200, "")
	if diff := cmp.Diff(strings.ReplaceAll(want, `T00:00:00"`, `T00:00:00Z"`), got.body); diff != "" {
		t.Error(diff)
	}
	born := c.do("GET", "/twins/d1", "").want(200, "").twin()
	if born.ETag != "AAAAAAAAAAE=" || born.Version != 2 || born.DeviceETag != o["etag"] {
		t.Errorf("the twin was born as %s", born.JSON())
	}

	clock.pass(time.Second)
	updated := c.do("PUT", "/devices/d1", `{"deviceId":"d1","status":"disabled","statusReason":"lost","authentication":{"type":"selfSigned",`+
		`"x509Thumbprint":{"primaryThumbprint":"`+strings.Repeat("aB", 20)+`"}}}`, "If-Match", `"*"`).want(200, "").
		contains(`"status":"disabled","statusReason":"lost","connectionStateUpdatedTime":"0001-01-01T00:00:00Z","statusUpdatedTime":"2026-03-01T12:00:01.1234567Z"`).
		contains(`"authentication":{"symmetricKey":{"primaryKey":null,"secondaryKey":null},"x509Thumbprint":{"primaryThumbprint":"aBaB`).object()
	if updated["generationId"] != o["generationId"] {
		t.Error("an update made a new generation")
	}
	after := c.do("GET", "/twins/d1", "").contains(`"status":"disabled","statusReason":"lost"`).contains(`"authenticationType":"selfSigned"`).twin()
	if after.ETag != born.ETag || after.Version != born.Version || after.DeviceETag != updated["etag"] || after.DeviceETag == born.DeviceETag {
		t.Errorf("counters moved wrongly: %s", after.JSON())
	}

	c.do("PUT", "/devices/d1/modules/m", `{"deviceId":"d1","moduleId":"m"}`).want(200, "")
	c.do("DELETE", "/devices/d1", "", "If-Match", "*").want(204, "")
	for _, path := range []string{"/devices/d1", "/twins/d1", "/twins/d1/modules/m"} {
		c.do("GET", path, "").want(404, "DeviceNotFound")
	}
	again := c.do("PUT", "/devices/d1", deviceD1).want(200, "").object()
	if again["generationId"] == o["generationId"] || again["etag"] == o["etag"] {
		t.Error("a device that was made anew has the generation or the etag of the old one")
	}
}

func TestDeviceRefusals(t *testing.T) {
	e := start(t, &emulator.Options{Twins: fleet(`{"deviceId":"d1","deviceEtag":"MTE="}`)})
	c := connect(t, e, 0)
	long := strings.Repeat("x", 129)
	run(t, c.do, []step{
		{"create what exists", "PUT", "/devices/d1", deviceD1, "", 409, "DeviceAlreadyExists", `ErrorCode:DeviceAlreadyExists;A device with ID 'd1' is already registered.`},
		{"and with two quotes", "PUT", "/devices/d1", deviceD1, `""`, 409, "DeviceAlreadyExists", ""},
		{"update what does not", "PUT", "/devices/d2", `{"deviceId":"d2"}`, "*", 404, "DeviceNotFound", ""},
		{"stale", "PUT", "/devices/d1", deviceD1, `"MTA="`, 412, "PreconditionFailed", "Precondition failed: Device version did not match, existingVersion:11 newVersion:10"},
		{"fresh", "PUT", "/devices/d1", deviceD1, `"MTE="`, 200, "", `"etag":"MTI="`},
		{"fresh without quotes", "PUT", "/devices/d1", deviceD1, `MTI=`, 200, "", `"etag":"MTM="`},
		{"another id", "PUT", "/devices/d2", deviceD1, "", 400, "ArgumentInvalid", ""},
		{"no JSON", "PUT", "/devices/d2", `{`, "", 400, "IotHubFormatError", ""},
		{"not an object", "PUT", "/devices/d2", `[]`, "", 400, "ArgumentInvalid", ""},
		{"long id", "PUT", "/devices/" + long, `{"deviceId":"` + long + `"}`, "", 400, "ArgumentInvalid", "128"},
		{"wrong id", "PUT", "/devices/a%2Fb", `{"deviceId":"a/b"}`, "", 400, "ArgumentInvalid", "must not contain"},
		{"status", "PUT", "/devices/d2", `{"deviceId":"d2","status":"asleep"}`, "", 400, "ArgumentInvalid", "asleep"},
		{"long reason", "PUT", "/devices/d2", `{"deviceId":"d2","statusReason":"` + long + `"}`, "", 400, "ArgumentInvalid", "128"},
		{"one key", "PUT", "/devices/d2", `{"deviceId":"d2","authentication":{"symmetricKey":{"primaryKey":"AAAAAAAAAAAAAAAAAAAAAA=="}}}`, "", 400, "ArgumentInvalid", "Either no keys or both keys can be set"},
		{"short key", "PUT", "/devices/d2", `{"deviceId":"d2","authentication":{"symmetricKey":{"primaryKey":"AAAA","secondaryKey":"AAAA"}}}`, "", 400, "ArgumentInvalid", "Invalid device key length"},
		{"thumbprint", "PUT", "/devices/d2", `{"deviceId":"d2","authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"AB:CD"}}}`, "", 400, "StringIsNotThumbprint", ""},
		{"no authentication", "PUT", "/devices/d2", `{"deviceId":"d2","authentication":{"type":"none"}}`, "", 400, "DeviceAuthenticationTypeIsMissing", ""},
		{"unknown authentication", "PUT", "/devices/d2", `{"deviceId":"d2","authentication":{"type":"charm"}}`, "", 400, "ArgumentInvalid", "charm"},
		{"authority needs nothing", "PUT", "/devices/d2", `{"deviceId":"d2","authentication":{"type":"CertificateAuthority"}}`, "", 200, "", `"type":"certificateAuthority"`},
		{"delete without etag", "DELETE", "/devices/d2", "", "", 412, "PreconditionFailed", "Etag missing"},
		{"delete stale", "DELETE", "/devices/d2", "", `"MTE="`, 412, "PreconditionFailed", "existingVersion:"},
		{"delete", "DELETE", "/devices/d2", "", `"*"`, 204, "", ""},
		{"delete again", "DELETE", "/devices/d2", "", "*", 404, "DeviceNotFound", ""},
	})
}

// TestEveryIDIsOnePathSegment goes through the whole alphabet.
func TestEveryIDIsOnePathSegment(t *testing.T) {
	e := start(t, nil)
	c := connect(t, e, 0)
	for _, id := range []string{"-.+%_#*?!(),:=@$'", "%2F", "query", "..a", strings.Repeat("Z9", 64)} {
		path := "/devices/" + url.PathEscape(id)
		body := string(mustMarshal(t, map[string]string{"deviceId": id}))
		c.do("PUT", path, body).want(200, "").contains(`"deviceId":"` + id + `"`)
		c.do("PUT", path+"/modules/"+url.PathEscape("m"+id[1:]), string(mustMarshal(t, map[string]string{"deviceId": id, "moduleId": "m" + id[1:]}))).want(200, "")
		c.do("GET", "/twins/"+url.PathEscape(id), "").want(200, "")
		c.do("GET", path+"/modules", "").want(200, "").contains(`"moduleId":"m` + id[1:] + `"`)
		c.do("DELETE", path, "", "If-Match", "*").want(204, "")
	}
}

func TestListDevices(t *testing.T) {
	e := start(t, &emulator.Options{Twins: fleet(`{"deviceId":"b"}`, `{"deviceId":"a"}`, `{"deviceId":"a","moduleId":"m"}`)})
	c := connect(t, e, 0)
	for _, path := range []string{"/devices?api-version=2021-04-12&top=2", "/devices/?api-version=2021-04-12"} {
		r := c.do("GET", path, "").want(200, "")
		if !strings.HasPrefix(r.body, `[{"deviceId":"a",`) || strings.Count(r.body, `"deviceId"`) != 2 {
			t.Errorf("%s: got %s", path, r.body)
		}
	}
	if r := c.do("GET", "/devices?api-version=2021-04-12&top=1", ""); strings.Contains(r.body, `"deviceId":"b"`) {
		t.Errorf("got %s, want one", r.body)
	}
	for _, top := range []string{"0", "1001", "x", "-1"} {
		c.do("GET", "/devices?api-version=2021-04-12&top="+top, "").want(400, "ArgumentInvalid")
	}
}

func TestModules(t *testing.T) {
	e := start(t, &emulator.Options{Seed: 1, Twins: fleet(`{"deviceId":"d1"}`, `{"deviceId":"off","status":"disabled"}`)})
	c := connect(t, e, 0)
	created := c.do("PUT", "/devices/d1/modules/m", `{"deviceId":"d1","moduleId":"m","managedBy":"me","authentication":{"type":"none"}}`).want(200, "").
		contains(`{"moduleId":"m","managedBy":"me","deviceId":"d1","generationId":"6`).contains(`"type":"sas"}}`)
	if created.header.Get("ETag") != "" || strings.Contains(created.body, `"status"`) {
		t.Errorf("got %v %s, a module has no ETag header and no status", created.header, created.body)
	}
	c.do("GET", "/twins/d1/modules/m", "").contains(`"desired":{"$metadata":{"$lastUpdated":"0001-01-01T00:00:00Z"},"$version":1}`)
	body := `{"deviceId":"d1","moduleId":"m"}`
	run(t, c.do, []step{
		{"create what exists", "PUT", "/devices/d1/modules/m", body, "", 409, "ModuleAlreadyExistsOnDevice", `{"errorCode":409301,"message":"Device d1 in IotHub emu already contains Module m."`},
		{"omitted manager", "PUT", "/devices/d1/modules/m", body, "*", 200, "", `"managedBy":null`},
		{"no such module", "GET", "/devices/d1/modules/x", "", "", 404, "ModuleNotFound", `"errorCode":404010`},
		{"no such device", "GET", "/devices/x/modules/m", "", "", 404, "DeviceNotFound", `"errorCode":404001`},
		{"list of none", "GET", "/devices/off/modules", "", "", 200, "", `[]`},
		{"list of no device", "GET", "/devices/x/modules", "", "", 404, "DeviceNotFound", ""},
		{"the hub's own", "PUT", "/devices/d1/modules/$edgeAgent", `{"deviceId":"d1","moduleId":"$edgeAgent"}`, "", 400, "ArgumentInvalid", ""},
		{"deletion of the hub's own", "DELETE", "/devices/d1/modules/$edgeAgent", "", "*", 400, "ArgumentInvalid", ""},
		{"long id", "PUT", "/devices/d1/modules/" + strings.Repeat("m", 129), `{"deviceId":"d1","moduleId":"` + strings.Repeat("m", 129) + `"}`, "", 400, "ArgumentInvalid", "128"},
		{"no such device to create on", "PUT", "/devices/x/modules/m", `{"deviceId":"x","moduleId":"m"}`, "", 404, "DeviceNotFound", ""},
		{"delete without etag", "DELETE", "/devices/d1/modules/m", "", "", 412, "PreconditionFailed", "Etag missing"},
		{"delete", "DELETE", "/devices/d1/modules/m", "", "*", 204, "", ""},
		{"delete again", "DELETE", "/devices/d1/modules/m", "", "*", 404, "ModuleNotFound", ""},
		{"of a disabled device", "PUT", "/devices/off/modules/m", `{"deviceId":"off","moduleId":"m"}`, "", 200, "", ""},
	})
	run(t, as(t, e, "iothubowner", time.Now()).do, []step{
		{"signed, no such device", "GET", "/devices/x/modules/m", "", "", 401, "IotHubUnauthorizedAccess", ""},
		{"signed, disabled device", "GET", "/devices/off/modules/m", "", "", 401, "IotHubUnauthorizedAccess", ""},
		{"signed, its twin", "GET", "/twins/off/modules/m", "", "", 200, "", ""},
	})
	for i := range 50 {
		c.do("PUT", fmt.Sprintf("/devices/d1/modules/n%d", i), fmt.Sprintf(`{"deviceId":"d1","moduleId":"n%d"}`, i)).want(200, "")
	}
	c.do("PUT", "/devices/d1/modules/m", body).want(413, "TooManyModulesOnDevice")
}

func TestEdgeDevices(t *testing.T) {
	e := start(t, nil)
	c := connect(t, e, 0)
	gateway := c.do("PUT", "/devices/gw", `{"deviceId":"gw","capabilities":{"iotEdge":true}}`).want(200, "").object()
	scope, _ := gateway["deviceScope"].(string)
	if !strings.HasPrefix(scope, "ms-azure-iot-edge://gw-6") {
		t.Fatalf("got scope %q", scope)
	}
	c.do("GET", "/devices/gw/modules", "").contains(`{"moduleId":"$edgeAgent","managedBy":"iotEdge"`).contains(`{"moduleId":"$edgeHub"`).contains(`"type":"none"`)
	c.do("PUT", "/devices/gw/modules/m", `{"deviceId":"gw","moduleId":"m"}`).want(200, "")
	quoted := `"` + scope + `"`
	run(t, c.do, []step{
		{"scope forgotten", "PUT", "/devices/gw", `{"deviceId":"gw","capabilities":{"iotEdge":true}}`, "*", 400, "ArgumentInvalid", "Device scope is immutable"},
		{"scope echoed", "PUT", "/devices/gw", `{"deviceId":"gw","capabilities":{"iotEdge":true},"deviceScope":` + quoted + `}`, "*", 200, "", quoted},
		{"leaf", "PUT", "/devices/leaf", `{"deviceId":"leaf","deviceScope":` + quoted + `}`, "", 200, "", `"deviceScope":` + quoted + `,"parentScopes":[` + quoted + `]`},
		{"edge child", "PUT", "/devices/child", `{"deviceId":"child","capabilities":{"iotEdge":true},"parentScopes":[` + quoted + `]}`, "", 200, "", `"parentScopes":[` + quoted + `]`},
		{"its twin", "GET", "/twins/child", "", "", 200, "", `"parentScopes":[` + quoted + `]`},
		{"children by query", "POST", "/devices/query", `{"query":"SELECT deviceId FROM devices WHERE array_contains(parentScopes, '` + scope + `')"}`, "", 200, "", `[{"deviceId":"child"},{"deviceId":"leaf"}]`},
		{"leaf becomes edge", "PUT", "/devices/leaf", `{"deviceId":"leaf","capabilities":{"iotEdge":true},"deviceScope":""}`, "*", 200, "", `"deviceScope":"ms-azure-iot-edge://leaf-`},
		{"edge becomes leaf", "PUT", "/devices/gw", `{"deviceId":"gw","deviceScope":` + quoted + `}`, "*", 200, "", `"capabilities":{"iotEdge":false}}`},
	})
	if r := c.do("GET", "/devices/gw/modules", ""); strings.Contains(r.body, "$edge") || !strings.Contains(r.body, `"moduleId":"m"`) {
		t.Errorf("got %s, want the service's module alone", r.body)
	}
}

func TestBulk(t *testing.T) {
	e := start(t, &emulator.Options{Twins: fleet(`{"deviceId":"d1","deviceEtag":"MTE=","tags":{"old":1}}`, `{"deviceId":"d2"}`, `{"deviceId":"d3","deviceEtag":"MTE="}`)})
	c := connect(t, e, 0)
	const done = `{"isSuccessful":true,"errors":[],"warnings":[]}`
	if r := c.do("POST", "/devices", `[{"id":"n1","importMode":"create","tags":{"a":1},"properties":{"desired":{"b":2,"$version":7}}},`+
		`{"id":"n1","moduleId":"m","importMode":"create"},{"id":"d1","etag":"MTE=","importMode":"UpdateIfMatchETag","status":"disabled","tags":{"new":2}},`+
		`{"id":"d2","importMode":"Delete"},{"id":"d3","importMode":"deleteIfMatchETag"}]`).want(200, ""); r.body != done {
		t.Errorf("got %s", r.body)
	}
	c.do("GET", "/twins/n1", "").contains(`"tags":{"a":1},"properties":{"desired":{"b":2,"$metadata":{"$lastUpdated":"0001-01-01T00:00:00Z","$lastUpdatedVersion":1,` +
		`"b":{"$lastUpdated":"0001-01-01T00:00:00Z","$lastUpdatedVersion":1}},"$version":1}`)
	c.do("GET", "/twins/n1/modules/m", "").want(200, "")
	c.do("GET", "/twins/d1", "").contains(`"status":"disabled"`).contains(`"tags":{"new":2,"old":1}`).contains(`"etag":"AAAAAAAAAAI="`)
	c.do("GET", "/devices/d2", "").want(404, "DeviceNotFound")
	c.do("GET", "/devices/d3", "").want(404, "DeviceNotFound")

	r := c.do("POST", "/devices/", `[{"id":"n1","importMode":"create"},{"id":"n2","importMode":"create"},{"id":"n2","importMode":"delete"},`+
		`{"id":"d1","importMode":"updateTwinIfMatchETag","twinETag":"AAAAAAAAAAE=","tags":{"x":1}},{"id":"n1","moduleId":"m","importMode":"create"},`+
		`{"id":"d9","importMode":"explode"},{"id":"d9","importMode":"create","tags":{"$":1}}]`).want(400, "")
	want := `{"isSuccessful":false,"errors":[` +
		`{"deviceId":"n1","errorCode":409001,"errorStatus":"A device with ID 'n1' is already registered.","moduleId":null,"operation":"create"},` +
		`{"deviceId":"n2","errorCode":400011,"errorStatus":"device ID 'n2' is there more than once.","moduleId":null,"operation":"delete"},` +
		`{"deviceId":"d1","errorCode":412001,"errorStatus":"ETag mismatch for device ID 'd1'","moduleId":null,"operation":"updateTwinIfMatchETag"},` +
		`{"deviceId":"n1","errorCode":409301,"errorStatus":"Device n1 in IotHub emu already contains Module m.","moduleId":"m","operation":"create"},` +
		`{"deviceId":"d9","errorCode":400004,"errorStatus":"The import mode 'explode' is not known.","moduleId":null,"operation":"explode"},` +
		`{"deviceId":"d9","errorCode":400011,"errorStatus":"device ID 'd9' is there more than once.","moduleId":null,"operation":"create"}],"warnings":[]}`
	if diff := cmp.Diff(want, r.body); diff != "" {
		t.Error(diff)
	}
	c.do("GET", "/devices/n2", "").want(200, "") // what went well stays
	c.do("POST", "/devices", `[{"id":"d9","importMode":"create","tags":{"a.b":1}}]`).want(400, "").contains(`"errorCode":400004`)
	c.do("GET", "/devices/d9", "").want(404, "DeviceNotFound")
	c.do("POST", "/devices", "["+strings.TrimSuffix(strings.Repeat(`{"id":"x"},`, 101), ",")+"]").want(413, "TooManyDevices")
	c.do("POST", "/devices", `{}`).want(400, "ArgumentInvalid")
}

func TestBulkModes(t *testing.T) {
	for _, test := range []struct {
		mode, entry string // besides id and mode
		exists      bool
		status      int
		after       string // in the twin; "" when it has to be gone
	}{
		{"create", ``, false, 200, `"d1"`},
		{"create", ``, true, 400, `"d1"`},
		{"update", `,"statusReason":"x"`, true, 200, `"statusReason":"x"`},
		{"update", ``, false, 400, ``},
		{"updateIfMatchETag", `,"eTag":"MTE=","statusReason":"x"`, true, 200, `"statusReason":"x"`},
		{"updateIfMatchETag", `,"eTag":"MTA="`, true, 400, `"deviceEtag":"MTE="`},
		{"createOrUpdate", ``, false, 200, `"d1"`},
		{"createOrUpdate", `,"statusReason":"x"`, true, 200, `"statusReason":"x"`},
		{"", `,"statusReason":"x"`, true, 200, `"statusReason":"x"`},
		{"createOrUpdateIfMatchETag", `,"eTag":"MTA="`, true, 400, `"deviceEtag":"MTE="`},
		{"createOrUpdateIfMatchETag", `,"eTag":"MTA="`, false, 200, `"d1"`},
		{"delete", `,"eTag":"MTA="`, true, 200, ``},
		{"delete", ``, false, 400, ``},
		{"deleteIfMatchETag", `,"eTag":"MTA="`, true, 400, `"d1"`},
		{"deleteIfMatchETag", `,"eTag":"MTE="`, true, 200, ``},
		{"updateTwin", `,"tags":{"a":1},"properties":{"desired":{"b":2}}`, true, 200, `"tags":{"a":1,"old":0}`},
		{"updateTwin", `,"tags":{"a":1}`, false, 400, ``},
		{"updateTwinIfMatchETag", `,"twinETag":"AAAAAAAAAAE=","tags":{"a":1}`, true, 200, `"tags":{"a":1,"old":0}`},
		{"create", `,"status":7`, false, 400, ``},
		{"create", `,"moduleId":"$edgeAgent"`, true, 400, `"d1"`},
		{"delete", `,"moduleId":"$edgeAgent"`, true, 400, `"d1"`},
		{"update", `,"status":"asleep"`, true, 400, `"status":"enabled"`},
		{"updateTwinIfMatchETag", `,"twinETag":"AAAAAAAAAAI=","tags":{"a":1}`, true, 400, `"tags":{"old":0}`},
		{"update", `,"twinETag":"AAAAAAAAAAI=","tags":{"a":1},"statusReason":"x"`, true, 400, `"statusReason":"x"`},
	} {
		t.Run(fmt.Sprintf("%s%s exists %t", test.mode, test.entry, test.exists), func(t *testing.T) {
			o := &emulator.Options{}
			if test.exists {
				o.Twins = fleet(`{"deviceId":"d1","deviceEtag":"MTE=","tags":{"old":0}}`)
			}
			e := start(t, o)
			c := connect(t, e, 0)
			c.do("POST", "/devices", `[{"id":"d1","importMode":"`+test.mode+`"`+test.entry+`}]`).want(test.status, "")
			if r := c.do("GET", "/twins/d1", ""); test.after != "" {
				r.want(200, "").contains(test.after)
			} else {
				r.want(404, "DeviceNotFound")
			}
		})
	}
}

// TestPoliciesAndRoles has each policy and each role that knows one action try
// an operation of every kind.
func TestPoliciesAndRoles(t *testing.T) {
	var apps []emulator.Application
	operations := []struct {
		method, path, action, policies string
	}{
		{"GET", "/devices/none", "devices/read", "iothubowner registryRead registryReadWrite"},
		{"GET", "/devices", "devices/read", "iothubowner registryRead registryReadWrite"},
		{"GET", "/devices/d000/modules", "devices/read", "iothubowner registryRead registryReadWrite"},
		{"PUT", "/devices/none", "devices/write", "iothubowner registryReadWrite"},
		{"DELETE", "/devices/none", "devices/delete", "iothubowner registryReadWrite"},
		{"POST", "/devices", "devices/write devices/delete", "iothubowner registryReadWrite"},
		{"GET", "/twins/none", "twins/read", "iothubowner service"},
		{"PATCH", "/twins/none", "twins/write", "iothubowner service"},
		{"GET", "/digitaltwins/none", "twins/read", "iothubowner service"},
		{"PATCH", "/digitaltwins/none", "twins/write", "iothubowner service"},
		{"POST", "/twins/none/methods", "directMethods/invoke/action", "iothubowner service"},
		{"POST", "/configurations/testQueries", "configurations/testQueries/action", "iothubowner registryReadWrite"},
		{"POST", "/devices/none/applyConfigurationContent", "configurations/applyToEdgeDevice/action", "iothubowner registryReadWrite"},
		{"GET", "/configurations/none", "configurations/read", "iothubowner registryRead registryReadWrite"},
		{"GET", "/statistics/service", "statistics/read", "iothubowner registryRead registryReadWrite"},
		{"GET", "/messages/serviceBound/feedback", "cloudToDeviceMessages/feedback/action", "iothubowner service"},
		{"DELETE", "/messages/serviceBound/feedback/x", "cloudToDeviceMessages/feedback/action", "iothubowner service"},
		{"POST", "/messages/serviceBound/feedback/x/abandon", "cloudToDeviceMessages/feedback/action", "iothubowner service"},
		{"DELETE", "/devices/none/commands", "cloudToDeviceMessages/queue/purge/action", "iothubowner service"},
	}
	for _, op := range operations {
		all := strings.Fields(op.action)
		short := &emulator.Role{Name: "all but one", Actions: all[:len(all)-1]}
		full := &emulator.Role{Name: "custom", Actions: []string{"Microsoft.Devices/IotHubs/" + all[0], all[len(all)-1]}}
		apps = append(apps, emulator.Application{Roles: []*emulator.Role{full}}, emulator.Application{Roles: []*emulator.Role{short}})
	}
	e := start(t, &emulator.Options{Twins: numbered(1), Applications: apps})
	for i, op := range operations {
		t.Run(op.method+" "+op.path, func(t *testing.T) {
			if r := connect(t, e, 2*i).do(op.method, op.path, "[]"); r.status == 401 {
				t.Errorf("the action does not open it: %s", r.body)
			}
			connect(t, e, 2*i+1).do(op.method, op.path, "[]").want(401, "IotHubUnauthorized")
			for _, policy := range []string{"iothubowner", "service", "device", "registryRead", "registryReadWrite"} {
				r := as(t, e, policy, time.Now()).do(op.method, op.path, "[]")
				if may := strings.Contains(" "+op.policies+" ", " "+policy+" "); may == (r.status == 401) {
					t.Errorf("%s: got %d, may is %t", policy, r.status, may)
				}
			}
		})
	}
	if got := e.ConnectionStringOf("nobody"); got != "" {
		t.Errorf("got %s for a policy that is not there", got)
	}
}

func TestConfigurationLimit(t *testing.T) {
	e := start(t, &emulator.Options{MaxConfigurations: 1})
	c := connect(t, e, 0)
	c.do("PUT", "/configurations/a", fanConfiguration).want(200, "")
	c.do("PUT", "/configurations/b", fanConfiguration).want(413, "ConfigurationCountLimitExceeded")
	c.do("PUT", "/configurations/a", fanConfiguration, "If-Match", "*").want(200, "")
}

func TestTestQueries(t *testing.T) {
	c := connect(t, start(t, nil), 0)
	for _, test := range []struct{ name, body, want string }{
		{"all right", `{"targetCondition":"tags.a='b'","customMetricQueries":{"m":"SELECT deviceId FROM devices"}}`, `{"targetConditionError":null,"customMetricQueryErrors":{}}`},
		{"module condition", `{"targetCondition":"FROM devices.modules WHERE tags.a='b'"}`, `{"targetConditionError":null,`},
		{"all devices", `{"targetCondition":"*"}`, `{"targetConditionError":"The condition '*'`},
		{"wrong path", `{"targetCondition":"properties.desired.a=1"}`, `{"targetConditionError":"A condition is over deviceId`},
		{"wrong metric", `{"customMetricQueries":{"m":"SELECT","n":"SELECT deviceId FROM devices"}}`, `"customMetricQueryErrors":{"m":"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			c.do("POST", "/configurations/testQueries", test.body).want(200, "").contains(test.want)
		})
	}
	c.do("POST", "/configurations/testQueries", `{`).want(400, "IotHubFormatError")
}

func TestApplyOnEdge(t *testing.T) {
	e := start(t, nil)
	c := connect(t, e, 0)
	c.do("PUT", "/devices/gw", `{"deviceId":"gw","capabilities":{"iotEdge":true}}`).want(200, "")
	c.do("PUT", "/devices/leaf", `{"deviceId":"leaf"}`).want(200, "")
	content := `{"modulesContent":{"$edgeAgent":{"properties.desired":{"a":1}},"cam":{"properties.desired.fps":5}}}`
	run(t, c.do, []step{
		{"apply", "POST", "/devices/gw/applyConfigurationContent", content, "", 204, "", ""},
		{"its agent", "GET", "/twins/gw/modules/$edgeAgent", "", "", 200, "", `"desired":{"a":1,"$metadata"`},
		{"a new module", "GET", "/devices/gw/modules/cam", "", "", 200, "", `"managedBy":"iotEdge"`},
		{"its twin", "GET", "/twins/gw/modules/cam", "", "", 200, "", `"desired":{"fps":5,"$metadata"`},
		{"whole takes the place", "POST", "/devices/gw/applyConfigurationContent", `{"modulesContent":{"$edgeAgent":{"properties.desired":{"b":2}}}}`, "", 204, "", ""},
		{"of what was there", "GET", "/twins/gw/modules/$edgeAgent", "", "", 200, "", `"desired":{"b":2,"$metadata"`},
		{"no edge device", "POST", "/devices/leaf/applyConfigurationContent", content, "", 400, "ArgumentInvalid", "Not an Azure IoT Edge device"},
		{"no device", "POST", "/devices/x/applyConfigurationContent", content, "", 404, "DeviceNotFound", ""},
		{"no agent", "POST", "/devices/gw/applyConfigurationContent", `{"modulesContent":{}}`, "", 400, "InvalidConfigurationContent", ""},
		{"other content", "POST", "/devices/gw/applyConfigurationContent", `{"deviceContent":{}}`, "", 400, "InvalidConfigurationContent", ""},
		{"other keys", "POST", "/devices/gw/applyConfigurationContent", `{"modulesContent":{"$edgeAgent":{"tags.x":1}}}`, "", 400, "InvalidConfigurationContent", ""},
	})
}

func TestGoAPIKeepsTheRegistry(t *testing.T) {
	e := start(t, &emulator.Options{Twins: numbered(1)})
	c := connect(t, e, 0)
	before := c.do("GET", "/devices/d000", "").object()
	again, err := twin.Parse([]byte(`{"deviceId":"d000"}`))
	if err != nil {
		t.Fatal(err)
	}
	e.Delete(again.Ref)
	c.do("GET", "/devices/d000", "").want(404, "DeviceNotFound")
	if err := e.Put(again); err != nil {
		t.Fatal(err)
	}
	after := c.do("GET", "/devices/d000", "").object()
	if before["generationId"] == after["generationId"] {
		t.Error("a device that was made anew has the generation of the old one")
	}
}
