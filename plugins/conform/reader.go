package conform

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// A reader takes the members out of an object. What is left over is unknown.
type reader struct {
	doc twin.Object
	err error // the first mistake
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// take removes the member called key and returns it, or the zero value when there
// is none.
func take[T any](r *reader, key, kind string) (value T) {
	v, ok := r.doc[key]
	if !ok {
		return value
	}
	delete(r.doc, key)
	if value, ok = v.(T); !ok {
		r.fail("%s is not %s", key, kind)
	}
	return value
}

// time sets at to the member called key, and reports whether there is one.
func (r *reader) time(key string, at *time.Time) bool {
	if _, ok := r.doc[key]; !ok {
		return false
	}
	t, err := time.Parse(time.RFC3339, take[string](r, key, "text"))
	if err != nil {
		r.fail("%s is no time such as 2026-01-01T00:00:00Z", key)
		return true
	}
	*at = t.UTC()
	return true
}

func (r *reader) done() {
	for _, key := range slices.Sorted(maps.Keys(r.doc)) {
		r.fail("unknown member %q", key)
	}
}

// parseTwin makes a twin of the short form in which tests of rules write them,
// with the same defaults.
func parseTwin(short twin.Object) (*twin.Twin, error) {
	r := &reader{doc: maps.Clone(short)}
	doc := twin.Object{"deviceId": "test", "status": "enabled", "connectionState": "Disconnected"}
	for _, key := range []string{"id", "moduleId", "status", "connectionState", "lastActivityTime", "modelId"} {
		if text := take[string](r, key, "text"); text != "" {
			doc[strings.Replace(key, "id", "deviceId", 1)] = text
		}
	}
	doc["capabilities"] = twin.Object{"iotEdge": take[bool](r, "edge", "true or false")}
	properties := twin.Object{}
	doc["tags"], doc["properties"] = take[twin.Object](r, "tags", "an object"), properties
	for _, key := range []string{"desired", "reported"} {
		properties[key] = take[twin.Object](r, key, "an object")
	}
	r.done()
	if r.err != nil {
		return nil, fmt.Errorf("twin: %w", r.err)
	}
	return twin.Parse(twin.Encode(doc))
}
