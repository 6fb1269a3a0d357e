package emulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A policy is a shared access policy of the hub.
type policy struct {
	name    string
	key     string   // base64
	actions []string // as in [Role.Actions]
}

// signer returns the policy that signed the text behind
// "SharedAccessSignature ", or nil if none did, it has expired, or it is for
// another hub. The order of the fields is free.
func signer(policies []policy, text string, hosts []string, now time.Time) *policy {
	// The string signed is the resource as sent, still escaped.
	fields := map[string]string{}
	for part := range strings.SplitSeq(text, "&") {
		name, value, _ := strings.Cut(part, "=")
		fields[name] = value
	}
	expiry, err := strconv.ParseInt(fields["se"], 10, 64)
	if err != nil || now.Unix() >= expiry || !isFor(fields["sr"], hosts) {
		return nil
	}
	signature, err := url.QueryUnescape(fields["sig"])
	if err != nil {
		return nil
	}
	name, err := url.QueryUnescape(fields["skn"])
	if err != nil {
		return nil
	}
	for i, p := range policies {
		if p.name == name && hmac.Equal([]byte(signature), []byte(sign(p.key, fields["sr"]+"\n"+fields["se"]))) {
			return &policies[i]
		}
	}
	return nil
}

// isFor reports whether an escaped resource is one of hosts or below it.
func isFor(resource string, hosts []string) bool {
	plain, err := url.QueryUnescape(resource)
	host, _, _ := strings.Cut(plain, "/")
	for _, h := range hosts {
		if err == nil && strings.EqualFold(host, h) {
			return true
		}
	}
	return false
}

// sign returns the signature of text with a base64 key.
func sign(key, text string) string {
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		panic("emulator: the key of a policy is not base64") // it is ours
	}
	mac := hmac.New(sha256.New, raw)
	_, _ = mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// hostsOf returns the names by which r may mean this hub: its own, and where
// the request was sent, since clients are pointed at loopback by that.
func hostsOf(r *http.Request, hubName string) []string {
	return []string{hubName, r.Host}
}
