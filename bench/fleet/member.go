package fleet

import (
	"strconv"
	"time"
)

// A member of an object: a key with JSON text or, when there is none, an object.
type member struct {
	key  string
	text string
	kids []member
}

func text(key, value string) member            { return member{key: key, text: strconv.Quote(value)} }
func number(key string, n int) member          { return member{key: key, text: strconv.Itoa(n)} }
func flag(key string, v bool) member           { return member{key: key, text: strconv.FormatBool(v)} }
func raw(key, json string) member              { return member{key: key, text: json} }
func object(key string, kids ...member) member { return member{key: key, kids: kids} }

func appendObject(b []byte, list []member) []byte {
	b = append(b, '{')
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = list[i].append(b)
	}
	return append(b, '}')
}

func (m *member) append(b []byte) []byte {
	b = appendKey(b, m.key)
	if m.text != "" {
		return append(b, m.text...)
	}
	return appendObject(b, m.kids)
}

func appendKey(b []byte, key string) []byte {
	b = append(b, '"')
	b = append(b, key...)
	return append(b, `":`...)
}

// appendSection writes desired or reported properties with $metadata behind
// them, as the hub does. That of reported ones has no versions.
func (t *document) appendSection(b []byte, list []member, at time.Time, version int, versioned bool) []byte {
	b = append(b, '{')
	for i := range list {
		b = append(list[i].append(b), ',')
	}
	b = append(b, `"$metadata":`...)
	s := stamps{dice: newDice(t.salt, uint64(version)), at: at}
	if versioned {
		s.version = version
	}
	b = s.append(b, list, at)
	b = append(b, `,"$version":`...)
	b = strconv.AppendInt(b, int64(version), 10)
	return append(b, '}')
}

// Stamps write when each member of a section was updated last.
type stamps struct {
	dice
	at      time.Time
	version int // 0 for none
}

func (s *stamps) append(b []byte, list []member, at time.Time) []byte {
	b = append(b, `{"$lastUpdated":"`...)
	b = appendTime(b, at)
	b = append(b, '"')
	if s.version > 0 {
		b = append(b, `,"$lastUpdatedVersion":`...)
		b = strconv.AppendInt(b, int64(s.version), 10)
	}
	for i := range list {
		earlier := at
		if !at.IsZero() {
			earlier = s.before(at, 4*day)
		}
		b = append(b, ',')
		b = appendKey(b, list[i].key)
		b = s.append(b, list[i].kids, earlier)
	}
	return append(b, '}')
}

const day = 24 * time.Hour
