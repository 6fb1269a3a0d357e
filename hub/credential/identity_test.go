package credential_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/twinrules/twinrules/hub/credential"
)

func TestIdentify(t *testing.T) {
	w := newWorld(t)
	text, end := w.token(t)
	who, err := credential.Identify(text)
	if err != nil {
		t.Fatal(err)
	}
	app := w.Applications()[0]
	if who.Tenant != w.Tenant() || who.Application != app.ClientID || who.Object != app.ObjectID ||
		who.Audience != "https://iothubs.azure.net" || !who.Expires.Equal(time.Unix(end, 0)) || who.Name != "" {
		t.Errorf("got %+v", who)
	}
	claims := func(s string) string { return "h." + base64.RawURLEncoding.EncodeToString([]byte(s)) + ".s" }
	who, err = credential.Identify(claims(`{"azp":"c","preferred_username":"me@x\u001b[31m"}`))
	if err != nil || who.Application != "c" || who.Name != "me@x [31m" {
		t.Errorf("got %+v, %v", who, err)
	}
	for _, bad := range []string{"", "secret", "a.b", "a.%.c", claims("[]"), claims(`{"exp":"secret"}`)} {
		if who, err := credential.Identify(bad); err == nil || bad != "" && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: got %v, %v", bad, who, err)
		}
	}
}
