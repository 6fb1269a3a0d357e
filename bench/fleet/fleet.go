// Package fleet makes up fleets of devices for races: twins as a hub writes
// them, of several families, the same bytes for the same seed on every machine.
//
// Start with [Append]. What a family reports stands in family.go, what people and
// the rules of the race write to it in section.go; recording a fleet is left to
// hub/snapshot.
package fleet

import (
	"strconv"
	"time"
)

// Taken is when every fleet was read: the clock of all engines of a race.
var Taken = time.Date(2026, 11, 2, 6, 0, 0, 0, time.UTC)

// Options say which fleet it is.
type Options struct {
	Seed uint64
	// Churn is how many twins in a thousand have been written once more.
	Churn int
	// Adrift is how many twins in a thousand differ at each place where the rules
	// of a race want something; the others are as the rules want them already.
	Adrift int
}

// Append adds the documents of device i to b, each on a line: the device's twin
// and, of some, those of modules. It depends on nothing but its arguments.
func Append(b []byte, o *Options, i int) []byte {
	d := newDice(o.Seed, uint64(i))
	t := draw(d, o, i)
	if newDice(o.Seed^0xc4, uint64(i)).chance(o.Churn) {
		t.rewrite()
	}
	b = t.append(b)
	if t.family.edge {
		b = module(d, t, "$edgeAgent").append(b)
		b = module(d, t, "relay").append(b)
	}
	return b
}

// A document is a device or module and what is in its twin.
type document struct {
	family                         *family
	id, module                     string
	disabled                       bool
	connected                      bool
	active                         time.Time // zero for never
	auth                           string
	identity                       uint64
	tagVersion, wanted, told       int // versions of the sections
	tags, desired, reported        []member
	desiredWritten, reportedSpread time.Time // when desired was written; when reports began
	salt                           uint64    // of the times in metadata
}

// rewrite makes the twin one that was written since, in all its sections.
func (t *document) rewrite() {
	t.tagVersion++
	t.wanted++
	t.told++
	if !t.active.IsZero() {
		t.active = Taken.Add(-time.Minute)
	}
}

// append writes the document with its members in the order of the hub's answers.
func (t *document) append(b []byte) []byte {
	b = append(b, `{"deviceId":"`...)
	b = append(b, t.id...)
	if t.module != "" {
		b = append(b, `","moduleId":"`...)
		b = append(b, t.module...)
	}
	b = append(b, `","etag":"`...)
	b = appendETag(b, uint64(t.tagVersion+t.wanted))
	b = append(b, `","deviceEtag":"`...)
	b = appendETag(b, t.identity)
	b = append(b, `","status":"`...)
	b = append(b, choose(t.disabled, "disabled", "enabled")...)
	b = append(b, `","statusUpdateTime":"0001-01-01T00:00:00Z","connectionState":"`...)
	b = append(b, choose(t.connected, "Connected", "Disconnected")...)
	b = append(b, `","lastActivityTime":"`...)
	b = appendTime(b, t.active)
	b = append(b, `","cloudToDeviceMessageCount":0,"authenticationType":"`...)
	b = append(b, t.auth...)
	b = append(b, `","x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},"modelId":"`...)
	b = append(b, t.family.model...)
	b = append(b, `","version":`...)
	b = strconv.AppendInt(b, int64(t.tagVersion+t.wanted+t.told), 10)
	if len(t.tags) > 0 {
		b = append(b, `,"tags":`...)
		b = appendObject(b, t.tags)
	}
	b = append(b, `,"properties":{"desired":`...)
	b = t.appendSection(b, t.desired, t.desiredWritten, t.wanted, true)
	b = append(b, `,"reported":`...)
	b = t.appendSection(b, t.reported, t.active, t.told, false)
	b = append(b, `},"capabilities":{"iotEdge":`...)
	b = strconv.AppendBool(b, t.family.edge && t.module == "")
	return append(b, "}}\n"...)
}

func choose(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// appendETag writes n as the hub writes the etag of a twin: eight bytes in base64.
func appendETag(b []byte, n uint64) []byte {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	text := [12]byte{10: digits[n&15<<2], 11: '='}
	n >>= 4
	for i := 9; i >= 0; i-- {
		text[i] = digits[n&63]
		n >>= 6
	}
	return append(b, text[:]...)
}

// appendTime writes a time as the hub does; never is the year 1.
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, "0001-01-01T00:00:00Z"...)
	}
	return t.AppendFormat(b, "2006-01-02T15:04:05.0000000Z")
}
