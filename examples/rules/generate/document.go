package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// An object is a JSON object whose members have an order, as those of a hub's
// answer do.
type object []member

type member struct {
	key   string
	value any
}

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	sep := byte('{')
	for _, m := range o {
		b.WriteByte(sep)
		b.Write(twin.Encode(m.key))
		b.WriteByte(':')
		b.Write(twin.Encode(m.value))
		sep = ','
	}
	if len(o) == 0 {
		b.WriteByte('{')
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// A document is a device or module with what people and the device itself wrote
// to its twin. What the hub adds is drawn when it is encoded.
type document struct {
	device, module string
	disabled       string    // the reason; "" when it is enabled
	seen           time.Time // when it last spoke; zero for never
	auth, model    string
	edge           bool
	scope          string    // of an IoT Edge device, known when it is encoded
	parent         *document // the IoT Edge device above it, encoded before; nil for none

	tags, desired, reported object
}

// A life is how often and when a document was written.
type life struct {
	born                     time.Time
	tags, desired, reports   int     // writes
	lastDesired, lastReports []stamp // the newest first
	identity                 int     // the count in the identity's etag
	disabled                 time.Time
	thumbprint               any
}

// A stamp is one write to a section, as its metadata says it.
type stamp struct {
	at      time.Time
	version int // 0 in reported properties, whose metadata has none
}

func (s stamp) members() object {
	o := object{{"$lastUpdated", spell(s.at)}}
	if s.version > 0 {
		o = append(o, member{"$lastUpdatedVersion", s.version})
	}
	return o
}

// spell writes a time as the hub does; never is the year 1.
func spell(t time.Time) string {
	if t.IsZero() {
		return "0001-01-01T00:00:00Z"
	}
	return t.Format("2006-01-02T15:04:05.0000000Z")
}

const day = 24 * time.Hour

// live draws a life that agrees with what the document holds.
func (d *document) live(r dice) life {
	l := life{born: r.before(taken, 20*day, 900*day), identity: r.between(1e7, 1e9)}
	if !d.seen.IsZero() && d.seen.Before(l.born) {
		l.born = d.seen.Add(-2 * day)
	}
	l.lastDesired, l.lastReports = []stamp{{at: l.born}}, []stamp{{at: l.born}}
	if len(d.tags) > 0 {
		l.tags = r.between(1, 6)
	}
	if len(d.desired) > 0 {
		l.desired = r.between(1, 9)
		l.lastDesired = earlier(r, r.before(taken, time.Hour, taken.Sub(l.born)), l.born, 1+l.desired)
	}
	if len(d.reported) > 0 {
		l.reports = r.between(40, 20_000)
		l.lastReports = earlier(r, d.seen, l.born, 0)
	}
	if d.disabled != "" {
		l.disabled = r.before(taken, time.Hour, taken.Sub(l.born))
	}
	if d.auth == "selfSigned" {
		l.thumbprint = fmt.Sprintf("%016X%016X%08X", r.Uint64(), r.Uint64(), r.Uint32())
	}
	return l
}

// earlier returns up to three writes to a section, the newest first; that one
// made version. None is before born.
func earlier(r dice, newest, born time.Time, version int) []stamp {
	list := []stamp{{newest, version}}
	for len(list) < 3 && version != 2 { // version 1 is of the creation, and empty
		if newest = r.before(newest, time.Minute, 8*time.Hour); newest.Before(born) {
			break
		}
		version = max(0, version-1)
		list = append(list, stamp{newest, version})
	}
	return list
}

// encode writes the twin as a row of a query has it. The counters move as the
// hub's do: the etag with each write of a service, the version with reports,
// too, and a section's version with its own writes.
func (d *document) encode(r dice) []byte {
	l := d.live(r)
	o := object{{"deviceId", d.device}}
	if d.module != "" {
		o = append(o, member{"moduleId", d.module})
	}
	o = append(o, member{"etag", etag(1 + l.tags + l.desired)}, member{"deviceEtag", base64.StdEncoding.EncodeToString(fmt.Append(nil, l.identity))})
	o = append(o, d.state(l)...)
	o = append(o, member{"version", 2 + l.tags + l.desired + l.reports})
	if len(d.tags) > 0 {
		o = append(o, member{"tags", d.tags})
	}
	o = append(o, member{"properties", object{
		{"desired", section(d.desired, l.lastDesired, 1+l.desired)},
		{"reported", section(d.reported, l.lastReports, 1+l.reports)},
	}}, member{"capabilities", object{{"iotEdge", d.edge}}})
	if d.edge {
		ticks := l.born.Unix()*10_000_000 + 621_355_968_000_000_000
		d.scope = fmt.Sprintf("ms-azure-iot-edge://%s-%d", d.device, ticks)
		o = append(o, member{"deviceScope", d.scope})
	}
	if d.parent != nil {
		o = append(o, member{"deviceScope", d.parent.scope}, member{"parentScopes", []any{d.parent.scope}})
	}
	return twin.Encode(o)
}

// state returns the members between the etags and the version.
func (d *document) state(l life) object {
	o := object{{"status", "enabled"}}
	connection := "Disconnected"
	if d.disabled != "" {
		o = object{{"status", "disabled"}, {"statusReason", d.disabled}}
	} else if taken.Sub(d.seen) < 20*time.Minute {
		connection = "Connected"
	}
	return append(o,
		member{"statusUpdateTime", spell(l.disabled)},
		member{"connectionState", connection},
		member{"lastActivityTime", spell(d.seen)},
		member{"cloudToDeviceMessageCount", 0},
		member{"authenticationType", d.auth},
		member{"x509Thumbprint", object{{"primaryThumbprint", l.thumbprint}, {"secondaryThumbprint", nil}}},
		member{"modelId", d.model})
}

// etag is that of a twin: eight bytes, big-endian, in base64.
func etag(n int) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, uint64(n)))
}

// section adds to values what the hub does: metadata of the same shape and the
// version. The values at the top were written by one of the last writes each.
func section(values object, writes []stamp, version int) object {
	meta := writes[0].members()
	for i, m := range values {
		meta = append(meta, member{m.key, mirror(m.value, writes[i%len(writes)])})
	}
	return append(values[:len(values):len(values)], member{"$metadata", meta}, member{"$version", version})
}

// mirror returns the metadata of a value; a list is a leaf.
func mirror(v any, s stamp) object {
	meta := s.members()
	below, _ := v.(object)
	for _, m := range below {
		meta = append(meta, member{m.key, mirror(m.value, s)})
	}
	return meta
}
