package twin

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// The hub's limits on a section of a twin, from the page "Understand and use
// device twins in IoT Hub".
const (
	MaxTagsSize     = 8 << 10  // bytes, as Size counts them
	MaxDesiredSize  = 32 << 10 // bytes, as Size counts them
	MaxSectionDepth = 10       // nested objects
	MaxKeySize      = 1 << 10  // bytes
	MaxStringSize   = 4 << 10  // bytes
	MaxInteger      = 1<<52 - 1
	MinInteger      = -MaxInteger // whether -2^52 itself is taken is not known
)

// A Violation is one reason why the hub would refuse a section.
type Violation struct {
	Path   []string // keys from the section down; empty for the section itself
	Reason string   // such as "a key must not contain '.'"
}

func (v Violation) String() string {
	if len(v.Path) == 0 {
		return v.Reason
	}
	return strings.Join(v.Path, ".") + ": " + v.Reason
}

// CheckTags lists why the hub would refuse o as the tags of a twin.
func CheckTags(o Object) []Violation { return check(o, MaxTagsSize) }

// CheckDesired lists why the hub would refuse o as the desired properties of a
// twin. The hub's own $metadata and $version in o are not looked at.
func CheckDesired(o Object) []Violation { return check(o, MaxDesiredSize) }

func check(o Object, limit int) []Violation {
	var c checker
	c.object(nil, withoutHubKeys(o))
	if size := Size(o); size > limit {
		c.add(nil, "%d bytes, the hub takes %d", size, limit)
	}
	return c.found
}

// Size returns how many bytes of its limit the hub counts for a section: keys
// and strings in UTF-8 without control characters, 8 for a number, 4 for a bool,
// nothing for the hub's own $metadata and $version. That arrays count as the
// sum of their elements is inferred, the documentation does not say.
func Size(o Object) int { return sizeOf(withoutHubKeys(o)) }

func withoutHubKeys(o Object) Object {
	if _, ok := o["$metadata"]; !ok {
		if _, ok := o["$version"]; !ok {
			return o
		}
	}
	o = maps.Clone(o)
	delete(o, "$metadata")
	delete(o, "$version")
	return o
}

func sizeOf(v any) (n int) {
	switch v := v.(type) {
	case Object:
		for key, value := range v {
			n += textSize(key) + sizeOf(value)
		}
	case []any:
		for _, value := range v {
			n += sizeOf(value)
		}
	case string:
		n = textSize(v)
	case json.Number:
		n = 8
	case bool:
		n = 4
	}
	return n
}

func textSize(s string) (n int) {
	for _, r := range s {
		if !isControl(r) {
			n += utf8.RuneLen(r)
		}
	}
	return n
}

// isControl reports whether r is in the C0 or C1 set.
func isControl(r rune) bool { return r < 0x20 || 0x7f <= r && r <= 0x9f }

// A checker collects violations in the order of their paths.
type checker struct{ found []Violation }

func (c *checker) add(path []string, format string, args ...any) {
	c.found = append(c.found, Violation{Path: slices.Clone(path), Reason: fmt.Sprintf(format, args...)})
}

func (c *checker) object(path []string, o Object) {
	if len(path) >= MaxSectionDepth {
		c.add(path, "nested more than %d levels", MaxSectionDepth)
		return
	}
	for _, key := range slices.Sorted(maps.Keys(o)) {
		here := append(path, key)
		if reason := badKey(key); reason != "" {
			c.add(here, "%s", reason)
		}
		c.value(here, o[key])
	}
}

func badKey(key string) string {
	if len(key) > MaxKeySize {
		return fmt.Sprintf("a key of %d bytes, the hub takes %d", len(key), MaxKeySize)
	}
	for _, r := range key {
		if isControl(r) || strings.ContainsRune(".$# ", r) {
			return fmt.Sprintf("a key must not contain %q", r)
		}
	}
	return ""
}

func (c *checker) value(path []string, v any) {
	switch v := v.(type) {
	case Object:
		c.object(path, v)
	case []any:
		c.array(path, v)
	case string:
		if len(v) > MaxStringSize {
			c.add(path, "a string of %d bytes, the hub takes %d", len(v), MaxStringSize)
		}
	case json.Number:
		c.number(path, v)
	}
}

func (c *checker) array(path []string, list []any) {
	for _, v := range list {
		if v == nil {
			c.add(path, "a null inside an array")
		}
		c.value(path, v)
	}
}

func (c *checker) number(path []string, n json.Number) {
	if strings.ContainsAny(string(n), ".eE") {
		return // the range is of integers
	}
	if i, err := n.Int64(); err != nil || i < MinInteger || i > MaxInteger {
		c.add(path, "the integer %s is beyond ±(2^52-1)", n)
	}
}
