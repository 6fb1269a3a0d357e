package emulator

import (
	"bytes"
	"compress/gzip"
	"regexp"
	"strings"
)

// A spoiler is one way to spoil an answer.
type spoiler struct {
	name  string
	doc   string
	spoil func(a *answer)
}

// hugeBody is more than any client should be ready to hold.
const hugeBody = 64 << 20

// spoilers lists them in the order in which help shows them.
var spoilers = []spoiler{
	{"truncated", "the connection ends in the middle of the body", func(a *answer) {
		half := len(a.body) / 2
		a.lost += len(a.body) - half
		a.body = a.body[:half]
	}},
	{"huge", "64 MiB of spaces before the body", func(a *answer) { a.pad = hugeBody }},
	{"wrong", "a page of HTML that says it is JSON", func(a *answer) { a.body = htmlPage }},
	{"contentType", "the body as text/html", func(a *answer) { a.header.Set("Content-Type", "text/html") }},
	{"notJSON", "JSON with its end cut off, of the right length", func(a *answer) { a.body = bytes.TrimRight(a.body, "}]") }},
	{"otherDevice", "the answer about another device", func(a *answer) { a.body = deviceMember.ReplaceAll(a.body, []byte(`"$1":"somebody-else"`)) }},
	{"duplicateKeys", "an object with its first member twice", func(a *answer) { a.body = twice(a.body) }},
	{"gzipBomb", "64 MiB of spaces behind the body, in 64 KiB of gzip", func(a *answer) {
		a.body = bomb(a.body)
		a.header.Set("Content-Encoding", "gzip")
	}},
	{"empty", "no body", func(a *answer) { a.body = []byte{} }},
}

// Bodies returns the ways in which a [Fault] can spoil a body: names, and what each
// does.
func Bodies() (list [][2]string) {
	for _, s := range spoilers {
		list = append(list, [2]string{s.name, s.doc})
	}
	return list
}

var htmlPage = []byte("<html><body>Service Unavailable</body></html>")

// deviceMember names a device, configuration or job in an answer.
var deviceMember = regexp.MustCompile(`"(deviceId|id|jobId)":"[^"]*"`)

// firstMember is where an object begins, with its first key and plain value.
var firstMember = regexp.MustCompile(`\{("[^"]*":(?:"[^"]*"|[0-9]+))`)

// twice returns body with the first plain member of an object a second time.
func twice(body []byte) []byte {
	at := firstMember.FindSubmatchIndex(body)
	if at == nil {
		return []byte(`{"a":1,"a":2}`)
	}
	member := append(bytes.Clone(body[at[2]:at[3]]), ',')
	return append(append(bytes.Clone(body[:at[2]]), member...), body[at[2]:]...)
}

// bomb returns body and then spaces in gzip, in members one after the other, as
// the format allows.
func bomb(body []byte) []byte {
	const member = 1 << 20
	return append(zipped(body), bytes.Repeat(zipped(bytes.Repeat([]byte(" "), member)), hugeBody/member)...)
}

func zipped(text []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(text) // a buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

func spoilerNamed(name string) *spoiler {
	for i := range spoilers {
		if spoilers[i].name == name {
			return &spoilers[i]
		}
	}
	return nil
}

func spoilerNames() string {
	var names []string
	for _, s := range spoilers {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}
