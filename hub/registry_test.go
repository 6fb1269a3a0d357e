package hub_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/twin"
)

// An identity that is read and written again keeps what this package does not
// know, and shows its keys to nobody but the hub.
func TestIdentityRoundTrip(t *testing.T) {
	var log []string
	c := onTransport(t, inTurn(&log, deviceBody)).NewRegistryClient()
	got, err := c.GetDevice(t.Context(), "d1", nil)
	if err != nil {
		t.Fatal(err)
	}
	device := *got.Device
	device.Status, device.StatusReason = "disabled", "broken"
	if _, err := c.CreateOrUpdateDevice(t.Context(), device, &hub.RegistryClientWriteOptions{MatchConditions: &azcore.MatchConditions{IfMatch: &device.ETag}}); err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(log[1], "{")
	want := strings.NewReplacer(`"status":"enabled","statusReason":null`, `"status":"disabled","statusReason":"broken"`).Replace(deviceBody)
	var a, b any
	if err := errors.Join(json.Unmarshal([]byte("{"+body), &a), json.Unmarshal([]byte(want), &b)); err != nil || head != `PUT /devices/d1 "MzQz" ` || !strings.Contains(body, "1.0") {
		t.Fatal(log[1], err)
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error(diff)
	}
	shown, _ := json.Marshal(device)
	if all := fmt.Sprintf("%v %+v %#v %s", device, device, device, shown); strings.Contains(all, "c2VjcmV0") || device.Authentication.PrimaryKey.Reveal() != "c2VjcmV0MQ==" {
		t.Errorf("shows a key: %s", all)
	}
	if when, err := twin.ParseTime(device.StatusUpdated); err != nil || when.Year() != 1 {
		t.Errorf("never was %v, %v", when, err)
	}
}

func TestModuleRoundTrip(t *testing.T) {
	var log []string
	c := onTransport(t, inTurn(&log, moduleBody)).NewRegistryClient()
	got, err := c.GetModule(t.Context(), "d1", "m", nil)
	if err != nil {
		t.Fatal(err)
	}
	module := *got.Module
	module.Authentication.PrimaryKey = hub.NewKey("bmV3")
	if _, err := c.CreateOrUpdateModule(t.Context(), module, nil); err != nil || !strings.Contains(log[1], `"symmetricKey":{"primaryKey":"bmV3","secondaryKey":"c2VjcmV0Mg=="}`) {
		t.Error(log[1], err)
	}
	if fmt.Sprint(got) == "" || strings.Contains(fmt.Sprintf("%+v", module), "bmV3") {
		t.Error("shows a key")
	}
}

// What failed of a bulk is part of the response; the refusal of the whole is an
// error.
func TestBulk(t *testing.T) {
	items := []hub.RegistryUpdate{
		{Mode: hub.ImportModeCreate, Ref: d1, Tags: twin.Object{"a": "b"}, Desired: twin.Object{"fan": "on"}, Edge: true},
		{Mode: hub.ImportModeUpdateIfMatchETag, Ref: twin.Ref{Device: "d1", Module: "m"}, ETag: `"MQ=="`, Status: "disabled"},
	}
	failed := `{"isSuccessful":false,"errors":[{"deviceId":"d1","errorCode":%s,"errorStatus":"there","moduleId":"","operation":"create"}],"warnings":[{"deviceId":"d1","warningCode":"DeviceRegisteredWithoutTwin","warningStatus":"x"}]}`
	for _, code := range []string{`409001`, `"DeviceAlreadyExists"`} {
		var got string
		c := onTransport(t, func(req *http.Request) (*http.Response, error) {
			got = spell(req)
			return saying(400, fmt.Sprintf(failed, code)), nil
		})
		out, err := c.NewRegistryClient().UpdateRegistry(t.Context(), items, nil)
		want := []hub.RegistryError{{Ref: d1, Code: "DeviceAlreadyExists", Text: "there", Operation: "create"}}
		if err != nil || out.Successful || len(out.Warnings) != 1 || cmp.Diff(out.Errors, want) != "" {
			t.Errorf("got %+v, %v", out, err)
		}
		if want := `POST /devices [{"capabilities":{"iotEdge":true},"id":"d1","importMode":"create","properties":{"desired":{"fan":"on"}},"status":"enabled","tags":{"a":"b"}},{"eTag":"MQ==","id":"d1","importMode":"updateIfMatchETag","moduleId":"m","status":"disabled"}]`; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	c := onTransport(t, func(*http.Request) (*http.Response, error) {
		return saying(400, `{"Message":"ErrorCode:ArgumentInvalid;x"}`), nil
	}).NewRegistryClient()
	if _, err := c.UpdateRegistry(t.Context(), items, nil); !hub.HasCode(err, hub.CodeArgumentInvalid) {
		t.Errorf("got %v", err)
	}
	for _, n := range []int{0, 101} {
		if _, err := c.UpdateRegistry(t.Context(), make([]hub.RegistryUpdate, n), nil); err == nil {
			t.Errorf("%d items were taken", n)
		}
	}
}

func TestHasCode(t *testing.T) {
	err := fmt.Errorf("apply: %w", read(t.Context(), onTransport(t, func(*http.Request) (*http.Response, error) {
		return saying(404, `{"errorCode":404001,"message":"x"}`), nil
	})))
	var sdk *azcore.ResponseError
	if !hub.HasCode(err, hub.CodeModuleNotFound, hub.CodeDeviceNotFound) || hub.HasCode(err, hub.CodeModuleNotFound) || hub.HasCode(nil, hub.CodeDeviceNotFound) {
		t.Errorf("the codes of %v", err)
	}
	if !errors.As(err, &sdk) || !hub.HasCode(sdk, hub.CodeDeviceNotFound) {
		t.Errorf("the SDK's error is %v", sdk)
	}
}
