package hubtest

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
)

// protocolCases are about what all operations have in common.
var protocolCases = []*Case{
	{
		Name:  "other versions of the API are known",
		About: "Devices_GetTwin", Evidence: "REC; LIVE",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			for _, version := range []string{"2018-06-30", "2020-03-13", "2020-05-31-preview", "2020-09-30", apiVersion} {
				if got := t.rawQuery("GET", path("twins", t.device().Device), "api-version="+version, nil, ""); got.status != 200 {
					t.Errorf("%s: got %d %s", version, got.status, got.body)
				}
			}
		},
	},
	{
		Name:  "a version of the API is demanded",
		About: "Devices_GetTwin", Evidence: "INF: 400, InvalidProtocolVersion by name",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			for _, query := range []string{"", "api-version=", "api-version=1999-01-01"} {
				t.wantRefusal(t.rawQuery("GET", path("twins", t.device().Device), query, nil, ""), 400, "")
			}
		},
	},
	{
		Name:  "answers say who they are from",
		About: "Devices_GetTwin", Evidence: "REC: Content-Type and x-ms-request-id",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			got := t.raw("GET", path("twins", t.device().Device), nil, "")
			if got.header.Get("Content-Type") != "application/json; charset=utf-8" || got.header.Get("x-ms-request-id") == "" || got.header.Get("Date") == "" {
				t.Errorf("got %v", got.header)
			}
		},
	},
	{
		Name:  "a refusal has its code twice",
		About: "Devices_GetTwin", Evidence: "REC: ErrorCode:…; in the message, and a header",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			got := t.raw("GET", path("twins", t.freeDevice("none")), nil, "")
			t.wantRefusal(got, 404, "DeviceNotFound")
			o := t.object(got.body)
			message, _ := o["Message"].(string)
			tracking, _ := o["ExceptionMessage"].(string)
			if !strings.HasPrefix(message, "ErrorCode:DeviceNotFound;") || !strings.HasPrefix(tracking, "Tracking ID:") {
				t.Errorf("got %s", got.body)
			}
		},
	},
	{
		Name:  "newer paths refuse in the second envelope",
		About: "Modules_CreateOrUpdateIdentity", Evidence: "REC: errorCode, message, trackingId, timestampUtc",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			m := t.newModule(t.newDevice("envelope").ID, "m")
			got := t.raw("PUT", path("devices", m.DeviceID, "modules", m.ID), nil, `{"deviceId":"`+m.DeviceID+`","moduleId":"m"}`)
			t.wantRefusal(got, 409, "ModuleAlreadyExistsOnDevice")
			if o := t.object(got.body); o["errorCode"] != number(409301) || o["trackingId"] == nil {
				t.Errorf("got %s", got.body)
			}
		},
	},
	{
		Name:  "methods refuse in an envelope in an envelope",
		About: "Devices_InvokeMethod", Evidence: "LIVE",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			got := t.raw("POST", path("twins", t.newDevice("offline").ID, "methods"), nil, `{"methodName":"m"}`)
			t.wantRefusal(got, 404, "DeviceNotOnline")
			message, _ := t.object(got.body)["Message"].(string)
			if inner, err := twin.DecodeObject([]byte(message)); err != nil || inner["errorCode"] != number(404103) {
				t.Errorf("got %s", got.body)
			}
		},
	},
	{
		Name:  "a body that is no JSON is refused",
		About: "Devices_UpdateTwin Query_GetTwins", Evidence: "INF: 400",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			t.wantRefusal(t.raw("PATCH", path("twins", t.device().Device), nil, `{"tags":`), 400, "")
			t.wantRefusal(t.raw("POST", "/devices/query", nil, `{"query":`), 400, "")
		},
	},
	{
		Name:  "a query without a query is refused",
		About: "Query_GetTwins", Evidence: "LIVE: 400 ArgumentNull",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			t.wantRefusal(t.raw("POST", "/devices/query", nil, `{}`), 400, "ArgumentNull")
		},
	},
	{
		Name:  "a token of nobody is refused",
		About: "Devices_GetTwin", Evidence: "LIVE; DOC: 401 IotHubUnauthorizedAccess",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			for _, credential := range []string{"Bearer x", "SharedAccessSignature sr=x&sig=x&se=1&skn=iothubowner"} {
				t.wantRefusal(t.raw("GET", path("twins", t.Devices[0]), header("Authorization", credential), ""), 401, "IotHubUnauthorizedAccess")
			}
		},
	},
	{
		Name:  "a refusal names who was refused",
		About: "Devices_GetTwin", Evidence: "LIVE: Principal … is not authorized for GET on …",
		Run: func(t *T) {
			t.need(t.Stranger != nil, "somebody without a role")
			_, err := t.Stranger.Twin(t.Context(), twin.Ref{Device: t.Devices[0]})
			t.wantError(err, twin.ErrDenied, "IotHubUnauthorized")
			if !regexp.MustCompile(`Principal \S+ is not authorized for ` + http.MethodGet + ` on /twins/\S+ due to no assigned permissions`).MatchString(err.Error()) {
				t.Errorf("got %v", err)
			}
		},
	},
	{
		Name:  "a policy of the registry has no twins",
		About: "Devices_GetTwin Devices_GetIdentity", Evidence: "LIVE: registryReadWrite on twins is 401",
		Run: func(t *T) {
			registry, service := t.shared("registryReadWrite"), t.shared("service")
			_, err := registry.NewRegistryClient().GetDevice(t.Context(), t.Devices[0], nil)
			t.ok(err)
			_, err = registry.Twin(t.Context(), twin.Ref{Device: t.Devices[0]})
			t.wantError(err, twin.ErrDenied, "")
			_, err = service.Twin(t.Context(), twin.Ref{Device: t.Devices[0]})
			t.ok(err)
		},
	},
}
