package engine

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/twinrules/twinrules/hub/twin"
)

// encode returns the line as it stands in a file, with its end.
func (l planLine) encode() ([]byte, error) { return new(lineEncoder).append(nil, l) }

// A lineEncoder writes lines of a plan. Those of changes, which are nearly all of
// them, it writes as encoding/json would, in two fifths of the time (see
// BenchmarkPlanFile), and remembers edits that changes have in common.
type lineEncoder struct{ edits map[*Edit][]byte }

// append appends a line with its end.
func (e *lineEncoder) append(to []byte, l planLine) ([]byte, error) {
	switch {
	case l.Change != nil:
		return append(e.change(append(to, `{"change":`...), l.Change), "}\n"...), nil
	case l.Audited != nil:
		return append(e.change(append(to, `{"audited":`...), l.Audited), "}\n"...), nil
	}
	b := bytes.NewBuffer(to)
	j := json.NewEncoder(b)
	j.SetEscapeHTML(false)
	err := j.Encode(l)
	return b.Bytes(), err
}

func (e *lineEncoder) change(to []byte, c *Change) []byte {
	to = appendRef(append(to, `{"ref":`...), c.Ref)
	to = appendMember(to, `,"etag":`, c.ETag)
	to = strconv.AppendInt(append(to, `,"version":`...), c.Version, 10)
	to = strconv.AppendInt(append(to, `,"desiredVersion":`...), c.DesiredVersion, 10)
	if c.DeviceETag != "" {
		to = appendMember(to, `,"deviceEtag":`, c.DeviceETag)
	}
	to = e.shared(append(to, `,"edits":`...), c.Edits)
	if len(c.Cohorts) > 0 {
		to = appendCohorts(append(to, `,"cohorts":`...), c.Cohorts)
	}
	return append(to, '}')
}

func appendMember(to []byte, name, text string) []byte {
	return twin.AppendText(append(to, name...), text)
}

func appendRef(to []byte, ref twin.Ref) []byte {
	to, first := append(to, '{'), true
	for _, m := range [...]struct{ name, text string }{{`"device":`, ref.Device}, {`"module":`, ref.Module}, {`"configuration":`, ref.Configuration}} {
		if m.text == "" {
			continue
		}
		if !first {
			to = append(to, ',')
		}
		to, first = appendMember(to, m.name, m.text), false
	}
	return append(to, '}')
}

// maxSharedEdits is how many lists of edits are remembered as text.
const maxSharedEdits = 1 << 12

// shared appends edits, which many changes may have in one place in memory.
func (e *lineEncoder) shared(to []byte, edits []Edit) []byte {
	if len(edits) == 0 {
		return appendEdits(to, edits)
	}
	if text, ok := e.edits[&edits[0]]; ok {
		return append(to, text...)
	}
	start := len(to)
	to = appendEdits(to, edits)
	if e.edits == nil {
		e.edits = map[*Edit][]byte{}
	}
	if len(e.edits) < maxSharedEdits {
		e.edits[&edits[0]] = bytes.Clone(to[start:])
	}
	return to
}

func appendEdits(to []byte, edits []Edit) []byte {
	return appendList(to, edits, func(to []byte, e Edit) []byte {
		to = appendMember(append(to, '{'), `"section":`, e.Section)
		to = appendList(append(to, `,"path":`...), e.Path, twin.AppendText)
		to = twin.AppendJSON(append(to, `,"before":`...), e.Before)
		to = twin.AppendJSON(append(to, `,"after":`...), e.After)
		to = appendList(append(to, `,"rules":`...), e.Rules, twin.AppendText)
		if e.Why != "" {
			to = appendMember(to, `,"why":`, e.Why)
		}
		return append(to, '}')
	})
}

func appendCohorts(to []byte, cohorts []Cohort) []byte {
	return appendList(to, cohorts, func(to []byte, c Cohort) []byte {
		to = appendMember(append(to, '{'), `"rule":`, c.Rule)
		to = appendMember(to, `,"unit":`, c.Unit)
		return append(strconv.AppendInt(append(to, `,"wave":`...), int64(c.Wave), 10), '}')
	})
}

func appendList[T any](to []byte, list []T, one func([]byte, T) []byte) []byte {
	if list == nil {
		return append(to, "null"...)
	}
	to = append(to, '[')
	for i, v := range list {
		if i > 0 {
			to = append(to, ',')
		}
		to = one(to, v)
	}
	return append(to, ']')
}
