package hub_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

const sharedKey = "c2VjcmV0LXRoYXQtbm9ib2R5LW1heS1zZWU="

// The tokens are what the hub checks: an hour long, made anew after 48 minutes,
// and for each try.
func TestSharedAccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tokens []string
		n := 0
		c, err := hub.NewClientFromConnectionString("HostName=Contoso.azure-devices.net;SharedAccessKeyName=a policy;SharedAccessKey="+sharedKey, &hub.ClientOptions{
			ClientOptions: azcore.ClientOptions{Transport: transport(func(req *http.Request) (*http.Response, error) {
				tokens = append(tokens, req.Header.Get("Authorization"))
				if n++; n == 1 {
					return saying(500, ``), nil
				}
				return saying(200, twinBody), nil
			})},
		})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now().Unix()
		for range 3 {
			if err := read(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			pass(25 * time.Minute)
		}
		resource := url.QueryEscape("contoso.azure-devices.net")
		text, _ := strings.CutPrefix(tokens[0], "SharedAccessSignature ")
		fields, err := url.ParseQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := base64.StdEncoding.DecodeString(sharedKey)
		mac := hmac.New(sha256.New, raw)
		fmt.Fprintf(mac, "%s\n%d", resource, began+3600)
		if want := base64.StdEncoding.EncodeToString(mac.Sum(nil)); fields.Get("sig") != want || fields.Get("skn") != "a policy" || !strings.Contains(text, "sr="+resource+"&") {
			t.Errorf("got %s, want the signature %s", text, want)
		}
		if len(tokens) != 4 || tokens[0] != tokens[2] || tokens[2] == tokens[3] {
			t.Errorf("got %d tokens, %q", len(tokens), tokens)
		}
		shown := fmt.Sprintf("%v %+v %#v", c, c, c)
		if strings.Contains(shown, sharedKey) || strings.Contains(shown, fields.Get("sig")) {
			t.Error("the client shows its key")
		}
	})
}

// The emulator takes them.
func TestSharedAccessOnEmulator(t *testing.T) {
	e, _ := onEmulator(t, emulator.DataContributor)
	_, rest, _ := strings.Cut(e.ConnectionString(), ";")
	c, err := hub.NewClientFromConnectionString("HostName="+e.HubAddr()+";"+rest, &hub.ClientOptions{RootCAs: e.CertPool()})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(read(t.Context(), c), query(t.Context(), c)); err != nil {
		t.Error(err)
	}
	wrong, err := hub.NewClientFromConnectionString("HostName="+e.HubAddr()+";SharedAccessKeyName=iothubowner;SharedAccessKey="+sharedKey, &hub.ClientOptions{RootCAs: e.CertPool()})
	if err != nil {
		t.Fatal(err)
	}
	err = read(t.Context(), wrong)
	if !errors.Is(err, twin.ErrDenied) || !strings.Contains(hub.Explain(err), "refused the shared access key") {
		t.Errorf("got %v, %s", err, hub.Explain(err))
	}
	if shown := fmt.Sprintf("%v %+v %#v %s", err, err, err, hub.Explain(err)); strings.Contains(shown, sharedKey) || strings.Contains(shown, "sig=") {
		t.Error("the error shows a secret")
	}
}

func TestConnectionStrings(t *testing.T) {
	for text, want := range map[string]string{
		"HostName=contoso.azure-devices.net;SharedAccessKeyName=service;SharedAccessKey=" + sharedKey:          "",
		" sharedaccesskey=" + sharedKey + ";hostname=contoso.azure-devices.net;sharedaccesskeyname=service;\n": "",
		"": "lacks HostName, SharedAccessKeyName, SharedAccessKey",
		"HostName=contoso.azure-devices.net;DeviceId=d1;SharedAccessKey=" + sharedKey:                             "is a device's",
		"HostName=contoso.azure-devices.net;SharedAccessKeyName=service;SharedAccessKey=" + sharedKey[1:]:         "is not base64",
		"HostName=contoso.azure-devices.net;SharedAccessKeyName=service;SharedAccessKey=" + sharedKey + ";secret": "is not a list",
		"HostName=evil.example;SharedAccessKeyName=service;SharedAccessKey=" + sharedKey:                          "is no IoT Hub",
		"HostName=contoso.azure-devices.net;hostname=x;SharedAccessKeyName=s;SharedAccessKey=" + sharedKey:        "each once",
	} {
		_, err := hub.NewClientFromConnectionString(text, nil)
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), sharedKey[2:10]) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}
