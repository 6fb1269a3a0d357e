package hub_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/twinrules/twinrules/hub"
)

// Each line names cause and place, and says what to do next.
func TestExplain(t *testing.T) {
	noRole := `{"Message":"ErrorCode:IotHubUnauthorized;Principal 1234 is not authorized for GET on /twins/d1 due to no assigned permissions","ExceptionMessage":"Tracking ID:AB12-G:10-TimeStamp:06/10/2021 13:41:24"}`
	tests := []struct {
		name   string
		answer http.HandlerFunc
		do     string
		want   string
	}{
		{"no role", says(401, noRole), "read", `signed in, but 1234 may not read twin on HOST: assign the role "IoT Hub Data Reader" on the hub, or one with Microsoft.Devices/IotHubs/twins/read (Owner and Contributor don't grant data access; a new assignment can take minutes)`},
		{"refused token", says(401, `{"Message":"ErrorCode:IotHubUnauthorizedAccess;Unauthorized"}`), "read", "HOST refused the token (401 IotHubUnauthorizedAccess: Unauthorized): check tenant and cloud, the audience, and this machine's clock"},
		{"no such hub", says(401, `{"Message":"ErrorCode:IotHubNotFound;x"}`), "read", "HOST is not the name of a hub: check it"},
		{"quota", says(403, `{"Message":"ErrorCode:IotHubQuotaExceeded;Total number of messages exceeded"}`), "patch", "HOST has used up its messages for today (403 IotHubQuotaExceeded: Total number of messages exceeded): wait for midnight UTC, or add units to the hub"},
		{"forbidden", says(403, ``), "patch", "HOST does not let patch twin through (403): check its IP filter, its tier, and whether it is suspended"},
		{"throttled", says(429, `{"Message":"ErrorCode:ThrottlingBacklogTimeout;Wait 10 seconds"}`, "Retry-After", "3"), "patch", "HOST is throttled (429 ThrottlingBacklogTimeout: Wait 10 seconds), wait 3s: nothing was done; go slower, or add units to the hub"},
		{"changed", says(412, ``), "patch", "devices/d1 was changed by somebody else on HOST: plan again"},
		{"gone", says(404, `{"Message":"ErrorCode:DeviceNotFound;d1"}`), "patch", "devices/d1 is not on HOST (404 DeviceNotFound: d1): it may have been deleted, the hub's query index lags behind"},
		{"configuration exists", says(409, ``), "put", "configurations/tr-a exists on HOST already: plan again"},
		{"refused", says(400, `{"errorCode":400004,"message":"bad key","trackingId":"AB12-G2"}`), "patch", "HOST refused patch twin devices/d1 (400 ArgumentInvalid: bad key); tracking id for support: AB12-G2"},
		{"trouble", says(500, `{"Message":"ErrorCode:ServerError;oops","ExceptionMessage":"Tracking ID:AB12-G:10"}`), "read", "HOST is in trouble (500 ServerError: oops): try again later; tracking id for support: AB12-G"},
		{"lost", reset, "patch", "patch twin devices/d1 may have been applied or not, because no good answer came from HOST (Patch \"https://HOST/twins/d1?api-version=2021-04-12\": EOF): read it again before you write again"},
		{"broken", reset, "read", "the connection to HOST broke (Get \"https://HOST/twins/d1?api-version=2021-04-12\": EOF): try again; if it stays, check the network and the proxy"},
		{"garbage", says(200, `hello`, "Content-Type", "text/html"), "read", "the answer of HOST to read twin devices/d1 cannot be used (the answer makes no sense: it is text/html, not JSON): check that the name is a hub's and that nothing between rewrites answers"},
		{"too long", says(200, strings.Repeat(" ", 2<<20), "Content-Type", "application/json"), "read", "the answer of HOST to read twin devices/d1 cannot be used (the answer makes no sense: longer than 1048576 bytes): check that the name is a hub's and that nothing between rewrites answers"},
		{"garbage after a write", says(200, `hello`), "patch", "patch twin devices/d1 may have been applied or not, because no good answer came from HOST (the answer makes no sense: read twin: invalid JSON at offset 0: not an object): read it again before you write again"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t, test.answer)
			do := map[string]func() error{
				"read":  func() error { return read(t.Context(), s.client(t)) },
				"patch": func() error { return patch(t.Context(), s.client(t)) },
				"put":   func() error { return put(t.Context(), s.client(t)) },
			}[test.do]
			got := strings.ReplaceAll(hub.Explain(fmt.Errorf("apply: %w", do())), s.host(), "HOST")
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestExplainOthers(t *testing.T) {
	if got := hub.Explain(nil); got != "" {
		t.Errorf("got %q", got)
	}
	if got := hub.Explain(errors.New("disk full\nstack")); got != "disk full" {
		t.Errorf("got %q", got)
	}
}

// The hub names its errors in a header, in two envelopes, and in one inside the
// other.
func TestErrorCodes(t *testing.T) {
	tests := []struct {
		name     string
		answer   http.HandlerFunc
		code     string
		text, id string
	}{
		{"header", says(400, `{"Message":"ErrorCode:ArgumentInvalid;BadRequest"}`, "iothub-errorcode", "FromHeader"), "FromHeader", "BadRequest", ""},
		{"first envelope", says(404, `{"Message":"ErrorCode:DeviceNotFound;d1","ExceptionMessage":"Tracking ID:ab12-G:1-TimeStamp:06/10/2021 13:41:24"}`), "DeviceNotFound", "d1", "ab12-G"},
		{"second envelope", says(404, `{"errorCode":404103,"message":"not online","trackingId":"ab-G2:-TimeStamp:2021","timestampUtc":"x","info":null}`), "DeviceNotOnline", "not online", "ab-G2:-TimeStamp:2021"},
		{"second envelope with a name", says(404, `{"errorCode":"DeviceNotOnline","message":"x"}`), "DeviceNotOnline", "x", ""},
		{"unknown number", says(404, `{"errorCode":404999,"message":"x"}`), "404999", "x", ""},
		{"one in the other", says(404, `{"Message":"{\"errorCode\":404103,\"trackingId\":\"ab\",\"message\":\"not online\"}","ExceptionMessage":""}`), "DeviceNotOnline", "not online", "ab"},
		{"inside a job's text", says(400, `{"Message":"ErrorCode:ArgumentInvalid;Error: BadRequest {\"Message\":\"ErrorCode:Other;x\"}"}`), "ArgumentInvalid", `Error: BadRequest {"Message":"ErrorCode:Other;x"}`, ""},
		{"no envelope", says(502, `<html>Bad Gateway`), "", "<html>Bad Gateway", ""},
		{"nothing", says(502, ``), "", "", ""},
		{"long", says(400, strings.Repeat("x", 9999)), "", strings.Repeat("x", 300) + "…", ""},
	}
	for _, test := range tests {
		err := patch(t.Context(), newServer(t, test.answer).client(t))
		e, ok := errors.AsType[*hub.Error](err)
		if !ok || e.Code != test.code || e.Message != test.text || e.TrackingID != test.id {
			t.Errorf("%s: got %+v\nwant %s, %q, %q", test.name, e, test.code, test.text, test.id)
		}
		var sdk *azcore.ResponseError
		if !errors.As(err, &sdk) || sdk.ErrorCode != test.code || sdk.StatusCode != e.Status || sdk.RawResponse.Request.Header.Get("Authorization") != "" {
			t.Errorf("%s: got %+v", test.name, sdk)
		}
	}
}
