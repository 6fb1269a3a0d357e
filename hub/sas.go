package hub

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Tokens of a shared access policy live an hour and are made anew when four
// fifths of it are over.
const (
	sharedLife  = time.Hour
	sharedFresh = sharedLife * 4 / 5
)

// A sharedSigner signs requests with a shared access policy, every try anew.
type sharedSigner struct {
	key sharedKey

	mu    sync.Mutex // guards what follows
	token Key
	until time.Time
}

func (s *sharedSigner) Do(req *policy.Request) (*http.Response, error) {
	req.Raw().Header.Set("Authorization", s.current(time.Now()).Reveal())
	return req.Next()
}

func (s *sharedSigner) current(now time.Time) Key {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !now.Before(s.until) {
		s.token = s.key.token(now.Add(sharedLife))
		s.until = now.Add(sharedFresh)
	}
	return s.token
}

// token returns a token that ends at expiry. What is signed is the escaped host
// as it is sent.
func (k sharedKey) token(expiry time.Time) Key {
	resource, end := url.QueryEscape(k.host), strconv.FormatInt(expiry.Unix(), 10)
	raw, _ := base64.StdEncoding.DecodeString(k.key.Reveal()) // parseConnectionString has checked it
	mac := hmac.New(sha256.New, raw)
	_, _ = mac.Write([]byte(resource + "\n" + end))
	signature := url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return NewKey("SharedAccessSignature sr=" + resource + "&sig=" + signature + "&se=" + end + "&skn=" + url.QueryEscape(k.policy))
}
