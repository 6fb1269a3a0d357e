package hub

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// A refusal is what the hub says when it does not do what it was asked.
type refusal struct{ code, text, trackingID string }

// A hub has two envelopes, and puts one inside the other's message as well.
type envelope struct {
	ErrorCode        json.RawMessage `json:"errorCode"` // a number or a name
	Message          string          `json:"message"`   // "Message" in the other envelope
	ExceptionMessage string          `json:"ExceptionMessage"`
	TrackingID       string          `json:"trackingId"`
}

var (
	codePattern     = regexp.MustCompile(`ErrorCode:\s*([A-Za-z]+)`)
	trackingPattern = regexp.MustCompile(`Tracking ID:\s*([0-9A-Za-z-]+)`)
)

// parseRefusal finds the code in the header, else in the body. What is in
// neither envelope is taken as text.
func parseRefusal(header http.Header, body []byte) refusal {
	r := refusal{text: string(body)}
	for range 3 { // envelopes inside each other
		var e envelope
		if json.Unmarshal([]byte(r.text), &e) != nil || e.Message == "" {
			break
		}
		r.add(e)
	}
	if m := codePattern.FindStringSubmatch(r.text); m != nil && (r.code == "" || isNumeric(r.code)) {
		r.code = m[1]
	}
	if code := header.Get("iothub-errorcode"); code != "" {
		r.code = clean(code)
	}
	if _, after, ok := strings.Cut(r.text, ";"); ok && strings.HasPrefix(r.text, "ErrorCode:") {
		r.text = after
	}
	r.text = clean(r.text)
	return r
}

func (r *refusal) add(e envelope) {
	r.text = e.Message
	if code := strings.Trim(string(e.ErrorCode), `"`); code != "" && code != "null" {
		r.code = codeName(clean(code))
	}
	if e.TrackingID != "" {
		r.trackingID = clean(e.TrackingID)
	}
	if m := trackingPattern.FindStringSubmatch(e.ExceptionMessage); m != nil {
		r.trackingID = m[1]
	}
}

func isNumeric(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}

// clean makes one short printable line of what somebody else wrote.
func clean(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
	const most = 300
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}

// retryAfter reads the three headers in which a wait may stand. A date counts
// from the answer's own, so that the local clock does not matter.
func retryAfter(header http.Header) time.Duration {
	for _, key := range []string{"retry-after-ms", "x-ms-retry-after-ms"} {
		if ms, err := strconv.ParseUint(header.Get(key), 10, 31); err == nil {
			return time.Duration(ms) * time.Millisecond
		}
	}
	text := header.Get("Retry-After")
	if s, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(s) * time.Second
	}
	until, err1 := http.ParseTime(text)
	now, err2 := http.ParseTime(header.Get("Date"))
	if err1 != nil || err2 != nil {
		return 0
	}
	return max(0, until.Sub(now))
}
