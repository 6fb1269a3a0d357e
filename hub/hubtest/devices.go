package hubtest

import (
	"encoding/base64"
	"strings"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/twin"
)

// update writes an identity as it is, under its etag, and takes on the result.
func (t *T) update(d *hub.Device) {
	t.Helper()
	out, err := t.Client.NewRegistryClient().CreateOrUpdateDevice(t.Context(), *d, &hub.RegistryClientWriteOptions{MatchConditions: ifMatch(d.ETag)})
	t.ok(err)
	*d = *out.Device
}

// refusesDevice checks that the hub takes no device with this
// authentication.
func refusesDevice(code string, a hub.Authentication) func(*T) {
	return func(t *T) {
		_, err := t.Client.NewRegistryClient().CreateOrUpdateDevice(t.Context(), hub.Device{ID: t.freeDevice("wrong"), Authentication: a}, nil)
		t.wantError(err, nil, code)
	}
}

func key(bytes int) hub.Key {
	return hub.NewKey(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", bytes))))
}

// deviceCases are about the identities of devices.
var deviceCases = []*Case{
	{
		Name:  "a device is created and read",
		About: "Devices_CreateOrUpdateIdentity Devices_GetIdentity", Evidence: "REC",
		Run: func(t *T) {
			made := t.newDevice("a")
			got, err := t.Client.NewRegistryClient().GetDevice(t.Context(), made.ID, nil)
			t.ok(err)
			if got.ETag != made.ETag || got.GenerationID != made.GenerationID || got.Status != "enabled" ||
				got.ConnectionState != "Disconnected" || got.Authentication.Type != "sas" {
				t.Errorf("made %+v\ngot  %+v", made, got.Device)
			}
		},
	},
	{
		Name:  "what never was is the year one",
		About: "Devices_CreateOrUpdateIdentity Devices_GetIdentity", Evidence: "REC: without Z in the answer to a creation",
		Run: func(t *T) {
			made := t.newDevice("never")
			got, err := t.Client.NewRegistryClient().GetDevice(t.Context(), made.ID, nil)
			t.ok(err)
			for _, text := range []string{made.LastActivity, got.LastActivity} {
				if at, err := twin.ParseTime(text); err != nil || !at.IsZero() {
					t.Errorf("%q is %v, %v", text, at, err)
				}
			}
			if got.LastActivity != "0001-01-01T00:00:00Z" {
				t.Errorf("got %q", got.LastActivity)
			}
		},
	},
	{
		Name:  "an identity's etag counts in base64",
		About: "Devices_CreateOrUpdateIdentity", Evidence: "REC: a decimal counter, one more each write",
		Run: func(t *T) {
			d := t.newDevice("counter")
			before := t.decimal(string(d.ETag))
			t.update(d)
			if after := t.decimal(string(d.ETag)); after != before+1 {
				t.Errorf("from %d to %d", before, after)
			}
		},
	},
	{
		Name:  "the hub makes keys when there are none",
		About: "Devices_CreateOrUpdateIdentity", Evidence: "REC; MEAS: Node and Python send empty ones",
		Run: func(t *T) {
			a := t.newDevice("keys").Authentication
			if a.PrimaryKey.Reveal() == "" || a.SecondaryKey.Reveal() == "" || a.PrimaryKey.Reveal() == a.SecondaryKey.Reveal() {
				t.Error("the keys are missing or the same")
			}
		},
	},
	{
		Name:  "keys that are given stay",
		About: "Devices_CreateOrUpdateIdentity Devices_GetIdentity", Evidence: "LIVE: 16 to 64 bytes",
		Run: func(t *T) {
			want := hub.Authentication{Type: "sas", PrimaryKey: key(16), SecondaryKey: key(64)}
			d := t.createDevice(hub.Device{ID: t.freeDevice("own-keys"), Authentication: want})
			got, err := t.Client.NewRegistryClient().GetDevice(t.Context(), d.ID, nil)
			t.ok(err)
			if a := got.Authentication; a.PrimaryKey.Reveal() != want.PrimaryKey.Reveal() || a.SecondaryKey.Reveal() != want.SecondaryKey.Reveal() {
				t.Error("the keys are others")
			}
		},
	},
	{
		Name:  "one key alone is refused",
		About: "Devices_CreateOrUpdateIdentity", Evidence: "LIVE: either no keys or both",
		Run: refusesDevice("", hub.Authentication{Type: "sas", PrimaryKey: key(32)}),
	},
	{
		Name:  "a short key is refused",
		About: "Devices_CreateOrUpdateIdentity", Evidence: "LIVE: Invalid device key length",
		Run: refusesDevice("", hub.Authentication{Type: "sas", PrimaryKey: key(15), SecondaryKey: key(32)}),
	},
	{
		Name:  "a thumbprint with colons is refused",
		About: "Devices_CreateOrUpdateIdentity", Evidence: "LIVE: StringIsNotThumbprint",
		Run: refusesDevice("StringIsNotThumbprint", hub.Authentication{Type: "selfSigned", PrimaryThumbprint: "AA:BB", SecondaryThumbprint: "CC:DD"}),
	},
	{
		Name:  "a device without authentication is refused",
		About: "Devices_CreateOrUpdateIdentity", Evidence: "LIVE: DeviceAuthenticationTypeIsMissing",
		Run: refusesDevice("DeviceAuthenticationTypeIsMissing", hub.Authentication{Type: "none"}),
	},
	{
		Name:  "thumbprints are kept",
		About: "Devices_CreateOrUpdateIdentity Devices_GetIdentity", Evidence: "LIVE; SWAG",
		Run: func(t *T) {
			print := strings.Repeat("0a", 20)
			d := t.createDevice(hub.Device{ID: t.freeDevice("x509"), Authentication: hub.Authentication{Type: "selfSigned", PrimaryThumbprint: print, SecondaryThumbprint: print}})
			got, err := t.Client.NewRegistryClient().GetDevice(t.Context(), d.ID, nil)
			t.ok(err)
			if a := got.Authentication; a.Type != "selfSigned" || !strings.EqualFold(a.PrimaryThumbprint, print) {
				t.Errorf("got %+v", a)
			}
		},
	},
	{
		Name:  "a device that exists is not created",
		About: "Devices_CreateOrUpdateIdentity", Evidence: "REC: 409 DeviceAlreadyExists",
		Run: func(t *T) {
			d := t.newDevice("twice")
			_, err := t.Client.NewRegistryClient().CreateOrUpdateDevice(t.Context(), *d, nil)
			t.wantError(err, twin.ErrChanged, "DeviceAlreadyExists")
		},
	},
	{
		Name:  "a device is updated under its etag, whole",
		About: "Devices_CreateOrUpdateIdentity", Evidence: "REC; LIVE",
		Run: func(t *T) {
			d := t.newDevice("update")
			d.Status, d.StatusReason = "disabled", "for a test"
			t.update(d)
			if d.Status != "disabled" || d.StatusReason != "for a test" {
				t.Errorf("got %s, %s", d.Status, d.StatusReason)
			}
			d.StatusReason = ""
			t.update(d)
			if d.StatusReason != "" {
				t.Errorf("the reason is still %q", d.StatusReason)
			}
		},
	},
	{
		Name:  "an old etag stops a write to a device",
		About: "Devices_CreateOrUpdateIdentity", Evidence: "REC: 412 PreconditionFailed",
		Run: func(t *T) {
			d := t.newDevice("old")
			old := *d
			t.update(d)
			_, err := t.Client.NewRegistryClient().CreateOrUpdateDevice(t.Context(), old, &hub.RegistryClientWriteOptions{MatchConditions: ifMatch(old.ETag)})
			t.wantError(err, twin.ErrChanged, "PreconditionFailed")
		},
	},
	{
		Name:  "no device is updated",
		About: "Devices_CreateOrUpdateIdentity", Evidence: "REC; LIVE: 404 DeviceNotFound with an If-Match",
		Run: func(t *T) {
			_, err := t.Client.NewRegistryClient().CreateOrUpdateDevice(t.Context(), hub.Device{ID: t.freeDevice("none")}, &hub.RegistryClientWriteOptions{MatchConditions: ifMatch("*")})
			t.wantError(err, twin.ErrNotFound, "DeviceNotFound")
		},
	},
	{
		Name:  "an etag is taken without its quotes",
		About: "Devices_CreateOrUpdateIdentity", Evidence: "LIVE; REC",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			d := t.newDevice("unquoted")
			got := t.raw("PUT", path("devices", d.ID), header("If-Match", strings.Trim(string(d.ETag), `"`)), `{"deviceId":"`+d.ID+`"}`)
			if got.status != 200 || got.header.Get("ETag") == string(d.ETag) || !strings.HasPrefix(got.header.Get("ETag"), `"`) {
				t.Errorf("got %d, ETag %s, %s", got.status, got.header.Get("ETag"), got.body)
			}
		},
	},
	{
		Name:  "another device's id in the body is refused",
		About: "Devices_CreateOrUpdateIdentity", Evidence: "INF",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			t.wantRefusal(t.raw("PUT", path("devices", t.freeDevice("path")), nil, `{"deviceId":"tr-hubtest-body"}`), 400, "")
		},
	},
	{
		Name:  "a long status reason is refused",
		About: "Devices_CreateOrUpdateIdentity", Evidence: "DOC: 128 characters",
		Run: func(t *T) {
			_, err := t.Client.NewRegistryClient().CreateOrUpdateDevice(t.Context(), hub.Device{ID: t.freeDevice("reason"), StatusReason: strings.Repeat("x", 129)}, nil)
			t.wantError(err, nil, "")
		},
	},
	{
		Name:  "a device of 128 characters is created",
		About: "Devices_CreateOrUpdateIdentity Devices_DeleteIdentity", Evidence: "DOC",
		Run: func(t *T) {
			d := t.newDevice(strings.Repeat("x", 128-len("tr-hubtest-")))
			_, err := t.Client.NewRegistryClient().DeleteDevice(t.Context(), d.ID, nil)
			t.ok(err)
		},
	},
	{
		Name:  "a device of all characters is created",
		About: "Devices_CreateOrUpdateIdentity Devices_GetIdentity Devices_DeleteIdentity", Evidence: "DOC; MEAS: escaped as one segment",
		Run: func(t *T) {
			d := t.newDevice("-.+%_#*?!(),=@$'%2F")
			got, err := t.Client.NewRegistryClient().GetDevice(t.Context(), d.ID, nil)
			t.ok(err)
			if got.ID != d.ID {
				t.Errorf("made %s, got %s", d.ID, got.ID)
			}
		},
	},
	{
		Name:  "a device is deleted with its twin and its modules",
		About: "Devices_DeleteIdentity Devices_GetIdentity Modules_GetIdentity", Evidence: "LIVE",
		Run: func(t *T) {
			d, c := t.newDevice("gone"), t.Client.NewRegistryClient()
			m := t.newModule(d.ID, "m")
			_, err := c.DeleteDevice(t.Context(), d.ID, &hub.RegistryClientWriteOptions{MatchConditions: ifMatch(d.ETag)})
			t.ok(err)
			_, err = c.GetDevice(t.Context(), d.ID, nil)
			t.wantError(err, twin.ErrNotFound, "DeviceNotFound")
			_, err = c.GetTwin(t.Context(), d.ID, nil)
			t.wantError(err, twin.ErrNotFound, "DeviceNotFound")
			_, err = c.GetModule(t.Context(), d.ID, m.ID, nil)
			t.wantError(err, twin.ErrNotFound, "")
		},
	},
	{
		Name:  "an old etag keeps a device from being deleted",
		About: "Devices_DeleteIdentity", Evidence: "REC: 412 PreconditionFailed",
		Run: func(t *T) {
			d := t.newDevice("kept")
			old := d.ETag
			t.update(d)
			_, err := t.Client.NewRegistryClient().DeleteDevice(t.Context(), d.ID, &hub.RegistryClientWriteOptions{MatchConditions: ifMatch(old)})
			t.wantError(err, twin.ErrChanged, "PreconditionFailed")
		},
	},
	{
		Name:  "a device is not deleted without an If-Match",
		About: "Devices_DeleteIdentity", Evidence: "LIVE: 412, Etag missing",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			d := t.newDevice("unmatched")
			t.wantRefusal(t.raw("DELETE", path("devices", d.ID), nil, ""), 412, "PreconditionFailed")
			got := t.raw("DELETE", path("devices", d.ID), header("If-Match", `"*"`), "")
			if got.status != 204 {
				t.Errorf("a star in quotes: got %d %s", got.status, got.body)
			}
		},
	},
	{
		Name:  "no device is deleted",
		About: "Devices_DeleteIdentity", Evidence: "LIVE: 404 DeviceNotFound",
		Run: func(t *T) {
			_, err := t.Client.NewRegistryClient().DeleteDevice(t.Context(), t.freeDevice("none"), nil)
			t.wantError(err, twin.ErrNotFound, "DeviceNotFound")
		},
	},
	{
		Name:  "no device is read",
		About: "Devices_GetIdentity", Evidence: "REC: 404 DeviceNotFound",
		Run: func(t *T) {
			_, err := t.Client.NewRegistryClient().GetDevice(t.Context(), t.freeDevice("none"), nil)
			t.wantError(err, twin.ErrNotFound, "DeviceNotFound")
		},
	},
	{
		Name:  "devices are listed",
		About: "Devices_GetDevices", Evidence: "DOC; SDK: up to 1000, no next page",
		Run: func(t *T) {
			n := 0
			for d, err := range t.Client.NewRegistryClient().Devices(t.Context(), nil) {
				t.ok(err)
				if d.ID == "" || d.ETag == "" {
					t.Errorf("got %+v", d)
				}
				n++
			}
			if n < len(t.Devices) {
				t.Errorf("got %d", n)
			}
		},
	},
	{
		Name:  "a list is as long as it is wished",
		About: "Devices_GetDevices", Evidence: "DOC",
		Run: func(t *T) {
			n := 0
			for _, err := range t.Client.NewRegistryClient().Devices(t.Context(), &hub.RegistryClientListDevicesOptions{Top: 2}) {
				t.ok(err)
				n++
			}
			if n != 2 {
				t.Errorf("got %d", n)
			}
		},
	},
	{
		Name:  "a list of none or too many is refused",
		About: "Devices_GetDevices", Evidence: "DOC: 1 to 1000",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			for _, top := range []string{"0", "1001", "many"} {
				t.wantRefusal(t.rawQuery("GET", "/devices", "top="+top+"&api-version="+apiVersion, nil, ""), 400, "")
			}
		},
	},
	{
		Name:  "a slash may follow a path",
		About: "Devices_GetDevices", Evidence: "MEAS: Node lists at /devices/",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			if got := t.raw("GET", "/devices/", nil, ""); got.status != 200 || !strings.HasPrefix(got.body, "[") {
				t.Errorf("got %d %s", got.status, got.body)
			}
		},
	},
	{
		Name:  "an edge device gets a scope and modules of its own",
		About: "Devices_CreateOrUpdateIdentity Modules_GetModulesOnDevice", Evidence: "LIVE; INT (az iot)",
		Run: func(t *T) {
			d := t.newEdge("edge")
			if !strings.HasPrefix(d.Scope, "ms-azure-iot-edge://"+d.ID+"-") {
				t.Errorf("the scope is %q", d.Scope)
			}
			modules := map[string]string{}
			for m, err := range t.Client.NewRegistryClient().Modules(t.Context(), d.ID, nil) {
				t.ok(err)
				modules[m.ID] = m.ManagedBy
			}
			if modules["$edgeAgent"] != "iotEdge" || modules["$edgeHub"] != "iotEdge" {
				t.Errorf("the modules are %v", modules)
			}
		},
	},
	{
		Name:  "a scope stays what it is",
		About: "Devices_CreateOrUpdateIdentity", Evidence: "LIVE: 400, Device scope is immutable",
		Run: func(t *T) {
			d := t.newEdge("scope")
			old := d.Scope
			t.update(d)
			if d.Scope != old {
				t.Errorf("the scope was %s and is %s", old, d.Scope)
			}
			d.Scope = "ms-azure-iot-edge://other-1"
			_, err := t.Client.NewRegistryClient().CreateOrUpdateDevice(t.Context(), *d, &hub.RegistryClientWriteOptions{MatchConditions: ifMatch(d.ETag)})
			t.wantError(err, nil, "ArgumentInvalid")
		},
	},
	{
		Name:  "a child of an edge device knows its parent",
		About: "Devices_CreateOrUpdateIdentity", Evidence: "LIVE: the hub fills parentScopes",
		Run: func(t *T) {
			parent := t.newEdge("parent")
			child := t.createDevice(hub.Device{ID: t.freeDevice("child"), Scope: parent.Scope})
			if child.Scope != parent.Scope || len(child.ParentScopes) != 1 || child.ParentScopes[0] != parent.Scope {
				t.Errorf("got scope %s, parents %q", child.Scope, child.ParentScopes)
			}
		},
	},
	{
		Name:  "a device of its own certificate needs no thumbprint yet",
		About: "Devices_CreateOrUpdateIdentity", Evidence: "LIVE",
		Run: func(t *T) {
			d := t.createDevice(hub.Device{ID: t.freeDevice("self-signed"), Authentication: hub.Authentication{Type: "selfSigned"}})
			if d.Authentication.Type != "selfSigned" {
				t.Errorf("got %s", d.Authentication.Type)
			}
		},
	},
	{
		Name:  "an identity's etag stays when its device comes online",
		About: "Devices_GetIdentity Devices_GetTwin", Evidence: "LIVE: nor does the twin's move",
		Run: func(t *T) {
			t.need(t.Play != nil, "a device that answers")
			d, c := t.newDevice("online"), t.Client.NewRegistryClient()
			before := t.read(twin.Ref{Device: d.ID})
			t.Play(t.T, twin.Ref{Device: d.ID}, echo)
			got, err := c.GetDevice(t.Context(), d.ID, nil)
			t.ok(err)
			if got.ConnectionState != "Connected" || got.ETag != d.ETag {
				t.Errorf("it is %s, etag %s after %s", got.ConnectionState, got.ETag, d.ETag)
			}
			t.wantMoves(before, t.read(twin.Ref{Device: d.ID}), "etag same, version +0, desired +0, reported +0")
		},
	},
}

func (t *T) newEdge(name string) *hub.Device {
	t.Helper()
	return t.createDevice(hub.Device{ID: t.freeDevice(name), Edge: true})
}

// decimal reads the number in the etag of an identity or a configuration.
func (t *T) decimal(etag string) (n int64) {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(strings.Trim(etag, `"`))
	t.ok(err)
	n, err = number64(string(data))
	t.ok(err)
	return n
}
