package emulator

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync"

	"github.com/twinrules/twinrules/hub/twin"
)

// An Event is something that a hub tells the endpoints it routes to, in the
// shape of the page "React to device lifecycle events". A real hub routes none
// unless told, may merge changes of one twin, and delivers at least once; here
// each change is one event.
type Event struct {
	System     EventSystem     `json:"systemProperties"`
	Properties EventProperties `json:"properties"`
	Body       json.RawMessage `json:"body"`
}

// EventSystem are the properties that the hub stamps on every event.
type EventSystem struct {
	ContentType     string `json:"content-type"`
	ContentEncoding string `json:"content-encoding"`
	Source          string `json:"iothub-message-source"` // such as twinChangeEvents
	Device          string `json:"iothub-connection-device-id"`
	Module          string `json:"iothub-connection-module-id,omitempty"`
	Enqueued        string `json:"iothub-enqueuedtime"`
	User            string `json:"user-id"` // the hub
}

// EventProperties are the application properties, which routes select by.
type EventProperties struct {
	Hub       string `json:"hubName"`
	Device    string `json:"deviceId"`
	Module    string `json:"moduleId,omitempty"`
	Operation string `json:"opType"` // such as updateTwin
	Time      string `json:"operationTimestamp"`
	Schema    string `json:"iothub-message-schema"`
}

// An eventSource is where events come from.
type eventSource struct{ source, schema string }

var (
	twinEvents       = eventSource{"twinChangeEvents", "twinChangeNotification"}
	lifecycleEvents  = eventSource{"deviceLifecycleEvents", "deviceLifecycleNotification"}
	connectionEvents = eventSource{"deviceConnectionStateEvents", "deviceConnectionStateNotification"}
)

// An eventLog writes events. Nil writes none.
type eventLog struct {
	mu       sync.Mutex
	w        io.Writer
	sequence uint64 // of connection events
	err      error  // of the first failed write; nothing is written after it
}

func newEventLog(w io.Writer) *eventLog {
	if w == nil {
		return nil
	}
	return &eventLog{w: w}
}

func (l *eventLog) failure() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *eventLog) add(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return
	}
	if _, err := l.w.Write(append(marshal(e), '\n')); err != nil {
		l.err = fmt.Errorf("write event log: %w", err)
	}
}

// publish tells of a change of the fleet. The caller holds the lock.
func (h *hub) publish(before, after *document) {
	switch {
	case h.events == nil:
	case before == nil:
		h.emit(lifecycleEvents, "create"+kindOf(after.ref)+"Identity", after.ref, after.whole())
	case after == nil:
		h.emit(lifecycleEvents, "delete"+kindOf(before.ref)+"Identity", before.ref, before.whole())
	default:
		h.publishUpdate(before, after)
	}
}

func kindOf(ref twin.Ref) string {
	if ref.Module != "" {
		return "Module"
	}
	return "Device"
}

// publishUpdate tells of a twin that came online or went, or has another version.
func (h *hub) publishUpdate(before, after *document) {
	was, is := before.parse(), after.parse()
	if was.ConnectionState != is.ConnectionState {
		h.events.sequence++
		operation := strings.ToLower(kindOf(after.ref)) + is.ConnectionState
		h.emit(connectionEvents, operation, after.ref, twin.Object{"sequenceNumber": fmt.Sprintf("%040X", h.events.sequence)})
	}
	switch {
	case was.Version == is.Version:
	case after.replaced:
		h.emit(twinEvents, "replaceTwin", after.ref, after.whole())
	default:
		h.emit(twinEvents, "updateTwin", after.ref, delta(before.decode(), after.decode()))
	}
}

func (h *hub) emit(s eventSource, operation string, ref twin.Ref, body twin.Object) {
	now := h.moment()
	h.events.add(Event{
		EventSystem{"application/json", "utf-8", s.source, ref.Device, ref.Module, stamp(now), h.gate.hubName},
		EventProperties{h.gate.hubName, ref.Device, ref.Module, operation, stamp(now), s.schema},
		twin.Encode(body),
	})
}

// whole returns what events say of a twin that is new, gone or replaced.
func (d *document) whole() twin.Object {
	o, body := d.decode(), twin.Object{}
	for _, key := range []string{"deviceId", "moduleId", "etag", "version", "tags", "properties"} {
		if value, ok := o[key]; ok {
			body[key] = value
		}
	}
	return body
}

// delta returns what events say of a twin that was updated: the sections that
// changed, with null for what went. Unlike a hub's it is the difference and not
// the patch, so equal values that were written again are not in it.
func delta(before, after twin.Object) twin.Object {
	body := twin.Object{"version": after["version"]}
	old, _ := before["tags"].(twin.Object)
	now, _ := after["tags"].(twin.Object)
	if tags := twin.Diff(old, now); len(tags) > 0 {
		body["tags"] = tags
	}
	properties := twin.Object{}
	for _, name := range []string{"desired", "reported"} {
		if s := sectionDelta(section(before, name), section(after, name)); s != nil {
			properties[name] = s
		}
	}
	if len(properties) > 0 {
		body["properties"] = properties
	}
	return body
}

func sectionDelta(before, after twin.Object) twin.Object {
	if twin.Equal(before["$version"], after["$version"]) {
		return nil
	}
	changes := twin.Diff(withoutHubKeys(before), withoutHubKeys(after))
	s := maps.Clone(changes)
	meta, _ := after["$metadata"].(twin.Object)
	s["$metadata"], s["$version"] = mirror(meta, changes), after["$version"]
	return s
}

// mirror returns the metadata of what patch sets.
func mirror(meta, patch twin.Object) twin.Object {
	out := twin.Object{}
	for key, value := range meta {
		if key == "$lastUpdated" || key == "$lastUpdatedVersion" {
			out[key] = value
			continue
		}
		change, changed := patch[key]
		if below, ok := value.(twin.Object); ok && changed {
			deeper, _ := change.(twin.Object)
			out[key] = mirror(below, deeper)
		}
	}
	return out
}
