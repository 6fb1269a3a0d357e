package emulator_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/twinrules/twinrules/hub/emulator"
)

// TestRoles has each role try each operation.
func TestRoles(t *testing.T) {
	roles := []*emulator.Role{emulator.DataContributor, emulator.DataReader, emulator.TwinContributor, emulator.RegistryContributor, nil}
	var apps []emulator.Application
	for _, r := range roles {
		app := emulator.Application{}
		if r != nil {
			app.Roles = []*emulator.Role{r}
		}
		apps = append(apps, app)
	}
	e := start(t, &emulator.Options{Twins: numbered(1), Applications: apps})
	for _, test := range []struct {
		method, path, body string
		may                string // in the order of roles
	}{
		{"GET", "/twins/d000", "", "yyyn n"},
		{"PATCH", "/twins/d000", `{"tags":{"a":1}}`, "yny nn"},
		{"PUT", "/twins/d000", `{}`, "ynynn"},
		{"POST", "/devices/query", `{"query":"SELECT * FROM devices"}`, "yyynn"},
		{"GET", "/devices/d000", "", "yynyn"},
		{"GET", "/statistics/devices", "", "yynnn"},
		{"GET", "/configurations", "", "yynnn"},
		{"GET", "/configurations/c", "", "yynnn"},
		{"PUT", "/configurations/c", `{"content":{"deviceContent":{}}}`, "ynnnn"},
		{"DELETE", "/configurations/c", "", "ynnnn"},
	} {
		may := strings.ReplaceAll(test.may, " ", "")
		for i := range roles {
			c := connect(t, e, i)
			r := c.do(test.method, test.path, test.body)
			if may[i] == 'y' {
				if r.status == 401 {
					t.Errorf("%s %s as %s: %s", test.method, test.path, r.body, roles[i].Name)
				}
				continue
			}
			r.want(401, "IotHubUnauthorized").contains(fmt.Sprintf(
				`{"Message":"ErrorCode:IotHubUnauthorized;Principal %s is not authorized for %s on %s due to no assigned permissions","ExceptionMessage":"Tracking ID:`,
				e.Applications()[i].ObjectID, test.method, test.path))
		}
	}
	before := connect(t, e, 4).do("GET", "/twins/none", "").want(401, "IotHubUnauthorized") // not 404
	before.contains("on /twins/none due to")
}

// TestBadTokens presents tokens that a hub must not take.
func TestBadTokens(t *testing.T) {
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	clock := newClock()
	e := start(t, &emulator.Options{Twins: numbered(1), Now: clock.now})
	c := connect(t, e, 0)
	now := clock.now()
	claims := func(name string, value any) jwt.MapClaims {
		m := jwt.MapClaims{"aud": hubResource, "iss": "https://sts.windows.net/" + e.Tenant() + "/", "oid": e.Applications()[0].ObjectID,
			"nbf": now.Unix(), "exp": now.Add(time.Hour).Unix()}
		if m[name] = value; value == nil {
			delete(m, name)
		}
		return m
	}
	sign := func(m jwt.MapClaims) string { return assertion(t, jwt.SigningMethodRS256, signingKey(), nil, m) }
	for _, test := range []struct {
		name, authorization string
		status              int
		code                string
	}{
		{"right", "Bearer " + sign(claims("ver", "1.0")), 200, ""},
		{"scheme in small letters", "bearer " + sign(claims("ver", "1.0")), 200, ""},
		{"audience with slash", "Bearer " + sign(claims("aud", hubResource+"/")), 200, ""},
		{"audience of storage", "Bearer " + sign(claims("aud", "https://storage.azure.com")), 401, "IotHubUnauthorizedAccess"},
		{"another issuer", "Bearer " + sign(claims("iss", "https://sts.windows.net/x/")), 401, "IotHubUnauthorizedAccess"},
		{"expired", "Bearer " + sign(claims("exp", now.Add(-time.Second).Unix())), 401, "IotHubUnauthorizedAccess"},
		{"never expires", "Bearer " + sign(claims("exp", nil)), 401, "IotHubUnauthorizedAccess"},
		{"not yet valid", "Bearer " + sign(claims("nbf", now.Add(time.Hour).Unix())), 401, "IotHubUnauthorizedAccess"},
		{"another key", "Bearer " + assertion(t, jwt.SigningMethodRS256, other, nil, claims("ver", "1.0")), 401, "IotHubUnauthorizedAccess"},
		{"unsigned", "Bearer " + assertion(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, claims("ver", "1.0")), 401, "IotHubUnauthorizedAccess"},
		{"somebody without a role", "Bearer " + sign(claims("oid", "stranger")), 401, "IotHubUnauthorized"},
		{"garbage", "Bearer x", 401, "IotHubUnauthorizedAccess"},
		{"nothing", "", 401, "IotHubUnauthorizedAccess"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c.token = ""
			c.do("GET", "/twins/d000", "", "Authorization", test.authorization).want(test.status, test.code)
		})
	}
	c.do("GET", "/twins/d000", "").contains(`{"Message":"ErrorCode:IotHubUnauthorizedAccess;Unauthorized","ExceptionMessage":"Tracking ID:`)
}

func TestTokensExpireOnTheEmulatorsClock(t *testing.T) {
	clock := newClock()
	e := start(t, &emulator.Options{Twins: numbered(1), Now: clock.now, TokenLifetime: time.Minute})
	c := connect(t, e, 0)
	clock.pass(59 * time.Second)
	c.do("GET", "/twins/d000", "").want(200, "")
	clock.pass(2 * time.Second)
	c.do("GET", "/twins/d000", "").want(401, "IotHubUnauthorizedAccess")
}

func TestSharedAccessSignatures(t *testing.T) {
	clock := newClock()
	e := start(t, &emulator.Options{Twins: numbered(1), Now: clock.now})
	parts := strings.SplitN(e.ConnectionString(), ";", 3)
	if parts[0] != "HostName=emu.azure-devices.net" || parts[1] != "SharedAccessKeyName=iothubowner" {
		t.Fatalf("got connection string %s", e.ConnectionString())
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(parts[2], "SharedAccessKey="))
	if err != nil {
		t.Fatal(err)
	}
	sas := func(resource string, expiry time.Duration, key []byte, format string) string {
		se := fmt.Sprint(clock.now().Add(expiry).Unix())
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(resource + "\n" + se))
		return "SharedAccessSignature " + strings.NewReplacer("RES", resource, "EXP", se,
			"SIG", url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil)))).Replace(format)
	}
	const node = "sr=RES&sig=SIG&skn=iothubowner&se=EXP"
	c := &client{t: t, e: e, http: e.HTTPClient()}
	defer c.http.CloseIdleConnections()
	for _, test := range []struct {
		name, authorization string
		ok                  bool
	}{
		{"as Node sends it", sas(e.HubName(), time.Hour, key, node), true},
		{"in another order", sas(e.HubName(), time.Hour, key, "skn=iothubowner&se=EXP&sr=RES&sig=SIG"), true},
		{"below the hub", sas(e.HubName()+"%2ftwins", time.Hour, key, node), true},
		{"host in capitals", sas("EMU.azure-devices.net", time.Hour, key, node), true},
		{"expired", sas(e.HubName(), -time.Second, key, node), false},
		{"for another hub", sas("other.azure-devices.net", time.Hour, key, node), false},
		{"with another key", sas(e.HubName(), time.Hour, []byte("guess"), node), false},
		{"of another policy", sas(e.HubName(), time.Hour, key, "sr=RES&sig=SIG&skn=device&se=EXP"), false},
		{"without expiry", sas(e.HubName(), time.Hour, key, "sr=RES&sig=SIG&skn=iothubowner"), false},
		{"wrong escape", sas(e.HubName(), time.Hour, key, "sr=RES&sig=%zz&skn=iothubowner&se=EXP"), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := c.do("GET", "/twins/d000", "", "Authorization", test.authorization)
			if test.ok {
				r.want(200, "")
				return
			}
			r.want(401, "IotHubUnauthorizedAccess")
		})
	}
	if got := e.Requests()[0].Principal; got != "iothubowner" {
		t.Errorf("got principal %q, want the policy", got)
	}
}
