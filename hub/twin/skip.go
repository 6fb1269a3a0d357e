package twin

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// end checks that nothing follows the value.
func (d *decoder) end() {
	if d.space(); d.err == nil && d.pos < len(d.data) {
		d.fail("text after the value")
	}
}

// each reads an object and calls member with each key, where its value stands.
// It refuses duplicate keys and keeps no key.
func (d *decoder) each(depth int, member func(d *decoder, key string)) {
	mark := len(d.keys)
	d.members(func() {
		at := d.pos
		text, escaped := d.quoted()
		if escaped {
			text = []byte(unescape(text))
		}
		for _, other := range d.keys[mark:] {
			if bytes.Equal(other, text) {
				d.pos = at
				d.fail("duplicate key %q", text)
				return
			}
		}
		if len(d.keys)-mark >= maxKeys {
			d.fail("an object with more than %d keys", maxKeys)
			return
		}
		d.keys = append(d.keys, text)
		d.expect(':')
		member(d, string(text))
	})
	d.keys = d.keys[:mark]
}

// maxKeys bounds the keys of one object that is skipped, and with it the cost
// of looking for duplicates. A section of 32 KB holds fewer one-letter keys.
const maxKeys = 8192

// skip reads a value, as strictly as value does, and makes nothing of it.
func (d *decoder) skip(depth int) {
	if depth > MaxDepth {
		d.fail("nested more than %d levels", MaxDepth)
		return
	}
	switch d.peek() {
	case '{':
		d.each(depth, func(d *decoder, _ string) { d.skip(depth + 1) })
	case '[':
		d.elements(func() { d.skip(depth + 1) })
	case '"':
		d.quoted()
	default:
		d.value(depth)
	}
}

// section skips an object and returns its bytes, or nil for a null.
func (d *decoder) section(depth int) []byte {
	c := d.peek()
	start := d.pos
	d.skip(depth)
	if c == '{' {
		return d.data[start:d.pos]
	}
	if string(d.data[start:d.pos]) != "null" {
		d.pos = start
		d.fail("a section is not an object")
	}
	return nil
}

// textOrNull reads a string; a null is the empty string.
func (d *decoder) textOrNull() string {
	if d.peek() == '"' {
		return d.string()
	}
	start := d.pos
	if d.skip(1); string(d.data[start:d.pos]) != "null" {
		d.pos = start
		d.fail("not a string")
	}
	return ""
}

// integer reads a whole number that fits 64 bits; a null is 0.
func (d *decoder) integer() int64 {
	d.space()
	start := d.pos
	n, isNumber := d.value(1).(json.Number)
	if text := string(d.data[start:d.pos]); !isNumber && text == "null" {
		return 0
	}
	i, err := strconv.ParseInt(string(n), 10, 64)
	if err != nil {
		d.pos = start
		d.fail("not a whole number")
	}
	return i
}
