package hub

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"
)

// Whatever is said in place of a refusal becomes short printable lines.
func FuzzParseRefusal(f *testing.F) {
	f.Add("", `{"Message":"ErrorCode:DeviceNotFound;d1","ExceptionMessage":"Tracking ID:ab12-G:1"}`)
	f.Add("Code", `{"errorCode":404103,"message":"{\"Message\":\"ErrorCode:X;\"}","trackingId":"\u001b"}`)
	f.Add("\n", "\xff<html>\u202e")
	f.Fuzz(func(t *testing.T, code, body string) {
		r := parseRefusal(http.Header{"Iothub-Errorcode": {code}}, []byte(body))
		for _, s := range []string{r.code, r.text, r.trackingID} {
			if utf8.RuneCountInString(s) > 301 || !utf8.ValidString(s) || strings.ContainsAny(s, "\n\r\x1b\u202e") {
				t.Errorf("%q", s)
			}
		}
	})
}
