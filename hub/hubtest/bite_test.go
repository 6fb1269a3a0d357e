package hubtest_test

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A script answers every request with the same.
type script struct {
	status int
	header string // "Name: value", "" for none
	body   string
}

func (s script) Do(r *http.Request) (*http.Response, error) {
	name, value, _ := strings.Cut(s.header, ": ")
	return &http.Response{
		StatusCode: s.status, Header: http.Header{http.CanonicalHeaderKey(name): {value}},
		Body: io.NopCloser(strings.NewReader(s.body)), Request: r,
	}, nil
}

// TestWitnessBites plants mistakes in requests and answers, and looks whether
// the witness finds them.
func TestWitnessBites(t *testing.T) {
	const coded = "iothub-errorcode: DeviceNotFound"
	for _, test := range []struct {
		name, method, url, sent string
		answer                  script
		want                    []finding
	}{
		{"nothing", "GET", "/twins/d1", "", script{200, "", `{"deviceId":"d1","version":2,"statusUpdateTime":"2026-03-01T10:00:00.1234567Z"}`}, nil},
		{"an unknown member", "GET", "/twins/d1", "", script{200, "", `{"name":"d1"}`}, []finding{{"Devices_GetTwin", "answer Twin.name", aMember}}},
		{"a wrong type", "GET", "/twins/d%201/modules/m", "", script{200, "", `{"etag":7}`}, []finding{{"Modules_GetTwin", "answer Twin.etag", "no string"}}},
		{"an unknown word", "GET", "/devices/d1", "", script{200, "", `{"status":"asleep"}`}, []finding{{"Devices_GetIdentity", "answer Device.status", "another value"}}},
		{"no time", "GET", "/devices", "", script{200, "", `[{},{"lastActivityTime":"yesterday"}]`}, []finding{{"Devices_GetDevices", "answer Device.lastActivityTime", "no date-time"}}},
		{"a fraction", "GET", "/statistics/service", "", script{200, "", `{"connectedDeviceCount":1.5}`}, []finding{{"Statistics_GetServiceStatistics", "answer ServiceStatistics.connectedDeviceCount", "no integer"}}},
		{"a large number", "DELETE", "/devices/d1/commands", "", script{200, "", `{"totalMessagesPurged":4294967296}`}, []finding{{"CloudToDeviceMessages_PurgeCloudToDeviceMessageQueue", "answer PurgeMessageQueueResult.totalMessagesPurged", "no int32"}}},
		{"no array", "GET", "/configurations", "", script{200, "", `{}`}, []finding{{"Configuration_GetConfigurations", "answer body", "no array"}}},
		{"no JSON", "GET", "/twins/d1", "", script{200, "", `<html>`}, []finding{{"Devices_GetTwin", "answer", "no JSON"}}},
		{"a status", "DELETE", "/devices/d1", "", script{200, "", ""}, []finding{{"Devices_DeleteIdentity", "answer status", "200"}}},
		{"a body where none is", "DELETE", "/devices/d1", "", script{204, "", "{}"}, []finding{{"Devices_DeleteIdentity", "answer body", "not described"}}},
		{"a missing header", "GET", "/digitaltwins/d1", "", script{200, "", "{}"}, []finding{{"DigitalTwin_GetDigitalTwin", "answer header ETag", "none"}}},
		{"a refusal", "GET", "/twins/d1", "", script{404, coded, `{"Message":"ErrorCode:DeviceNotFound;d1","ExceptionMessage":"Tracking ID:0A-G:10-TimeStamp:06/10/2021 13:41:24"}`}, nil},
		{"a refusal without a code", "GET", "/twins/d1", "", script{404, "", `{"Message":"ErrorCode:DeviceNotFound;d1","ExceptionMessage":""}`}, []finding{{"Devices_GetTwin", "refusal header iothub-errorcode", "none"}}},
		{"a refusal of another kind", "GET", "/twins/d1", "", script{404, coded, `{"error":"gone"}`}, []finding{{"Devices_GetTwin", "refusal body", `no envelope of the hub: {"error":"gone"}`}}},
		{"a parameter", "GET", "/twins/d1?top=3&api-version=x", "", script{200, "", "{}"}, []finding{{"Devices_GetTwin", "request parameter top", "not described"}}},
		{"an empty request", "PUT", "/twins/d1", "", script{200, "", "{}"}, []finding{{"Devices_ReplaceTwin", "request body", "none"}}},
		{"a request where none is", "GET", "/twins/d1", "{}", script{200, "", "{}"}, []finding{{"Devices_GetTwin", "request body", "not described"}}},
		{"a wrong request", "POST", "/devices/query", `{"query":1}`, script{200, "x-ms-item-type: Twin", "[]"}, []finding{
			{"Query_GetTwins", "answer header x-ms-continuation", "none"}, {"Query_GetTwins", "request QuerySpecification.query", "no string"},
		}},
		{"no operation", "GET", "/nowhere", "", script{200, "", "?"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWitness(t, test.answer)
			r, err := http.NewRequestWithContext(t.Context(), test.method, "https://hub"+test.url, strings.NewReader(test.sent))
			if err != nil {
				t.Fatal(err)
			}
			answer, err := w.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(answer.Body); err != nil || string(body) != test.answer.body {
				t.Errorf("passed on %q, %v", body, err)
			}
			got := slices.SortedFunc(maps.Keys(w.findings), func(a, b finding) int { return strings.Compare(a.String(), b.String()) })
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(finding{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}
