package emulator

import (
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"
)

// firstTwinETag is the etag of a twin that was never written.
const firstTwinETag = "AAAAAAAAAAE="

// nextTwinETag returns the etag after e: a twin's is a counter of eight bytes,
// big-endian, in base64. One that is no counter, as a recorded fleet may have
// after it was made anonymous, starts anew from its length.
func nextTwinETag(e string) string {
	raw, err := base64.StdEncoding.DecodeString(e)
	if err != nil || len(raw) != 8 {
		raw = make([]byte, 8)
		binary.BigEndian.PutUint64(raw, uint64(len(e)))
	}
	next := binary.BigEndian.Uint64(raw) + 1
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, next))
}

// decimalETag is how identities and configurations count: in decimal, in base64.
func decimalETag(n int64) string {
	return base64.StdEncoding.EncodeToString([]byte(formatInt(n)))
}

// decimalOf returns the count in a decimal etag, 1 when there is none.
func decimalOf(etag string) int64 {
	text, _ := base64.StdEncoding.DecodeString(etag)
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return 1
	}
	return n
}

func formatInt(n int64) string { return strconv.FormatInt(n, 10) }

// meets reports whether a twin or an identity with etag meets an If-Match:
// quoted, not quoted, "*" with or without quotes, and nothing, which the .NET
// client sends as two quotes.
func meets(ifMatch, etag string) bool {
	want := strings.Trim(ifMatch, `"`)
	return want == "" || want == "*" || want == etag
}
