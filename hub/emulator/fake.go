package emulator

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// A fake is a fake device. All it does happens on the agenda of its hub, whose
// lock is held whenever it is called.
type fake struct {
	*Behaviour
	hub  *hub
	ref  twin.Ref
	seen int64       // the desired $version it knows of; 0 for none
	made twin.Object // the desired properties that it has made reported ones
}

// newFake returns the fake device for d, to which what is desired now is done,
// unless it says itself how far it has come.
func newFake(h *hub, d *document) *fake {
	t := d.parse()
	f := &fake{Behaviour: behaviourOf(h.dice, d.ref.Device), hub: h, ref: d.ref, seen: t.DesiredVersion()}
	if acknowledged, ok := t.Reported().Lookup("ack", "version"); ok {
		n, _ := acknowledged.(json.Number)
		f.seen, _ = n.Int64()
	}
	return f
}

// of draws a time below d that belongs to the device and to what.
func (f *fake) of(what string, d time.Duration) time.Duration {
	return time.Duration(f.hub.dice.of(what+" "+f.ref.String()) % uint64(d)).Truncate(time.Millisecond)
}

// Update plans to obey.
func (f *fake) Update(desired twin.Object) twin.Object {
	n, _ := desired["$version"].(json.Number)
	version, _ := n.Int64()
	if version == f.seen {
		return nil
	}
	f.seen = version
	if f.silent {
		return nil
	}
	delay := f.delay + f.of(fmt.Sprintf("delay %d", version), f.spread)
	f.hub.agenda.plan(f.hub.moment().Add(delay), func(now time.Time) { f.obey(version, now) })
	return nil
}

// obey does what was desired at version, unless more was desired since or the
// device is offline, in which case it will learn of it anew.
func (f *fake) obey(version int64, now time.Time) {
	d := f.hub.fleet.documents[f.ref]
	switch {
	case d == nil || version != f.seen:
		return
	case f.hub.connections[f.ref] != f:
		f.seen = 0
	case f.fails:
		f.hub.report(f.ref, f.complaint(version), now)
	default:
		o := d.decode()
		desired := withoutHubKeys(section(o, "desired"))
		f.hub.report(f.ref, f.obedience(withoutHubKeys(section(o, "reported")), desired, version), now)
		f.made = desired
	}
}

// obedience returns what a device reports that has made desired so.
func (f *fake) obedience(reported, desired twin.Object, version int64) twin.Object {
	patch := over(twin.Diff(f.made, desired), desired)
	patch = over(patch, twin.Object{"ack": twin.Object{"version": number(version)}, "lastError": nil})
	return twin.Diff(reported, twin.Merge(reported, patch))
}

func (f *fake) complaint(version int64) twin.Object {
	return twin.Object{"lastError": twin.Object{
		"version": number(version), "code": number(500), "message": "the settings could not be applied",
	}}
}

// rebootTime is how long a device is gone when it reboots.
const rebootTime = 30 * time.Second

// Invoke knows the methods ping and reboot; others have the status 404, as
// devices answer by convention. One that fails has the status 500.
func (f *fake) Invoke(method string, _ json.RawMessage) MethodResult {
	result := MethodResult{Status: 200, After: f.delay / 10}
	switch {
	case f.silent:
		result.After = Never
	case method != "ping" && method != "reboot":
		result.Status, result.Payload = 404, marshal(map[string]string{"error": "unknown method " + method})
	case f.fails:
		result.Status, result.Payload = 500, marshal(map[string]string{"error": "the method failed"})
	case method == "ping":
		result.Payload = marshal(map[string]bool{"pong": true})
	default:
		f.reboot()
		result.Payload = marshal(map[string]bool{"rebooting": true})
	}
	return result
}

func (f *fake) reboot() {
	now := f.hub.moment()
	f.hub.agenda.plan(now.Add(time.Second), f.leave)
	f.hub.agenda.plan(now.Add(rebootTime), f.join)
}

// Receive takes messages as a device takes settings.
func (f *fake) Receive(Message) Settlement {
	switch {
	case f.silent:
		return Leave
	case f.fails:
		return Reject
	}
	return Complete
}

// join brings the device online. One that is gone or disabled stays away.
func (f *fake) join(now time.Time) { _ = f.hub.connect(f.ref, f, now) }

func (f *fake) leave(now time.Time) {
	if f.hub.connections[f.ref] == f {
		f.hub.disconnect(f.ref, now)
	}
}

// flap goes at when, comes back and does so again, as long as there is a twin.
func (f *fake) flap(when time.Time) {
	f.hub.agenda.plan(when, func(now time.Time) {
		if f.hub.fleet.documents[f.ref] == nil {
			return
		}
		f.leave(now)
		name := now.UTC().Format(time.RFC3339Nano)
		back := now.Add(time.Second + f.of("gone "+name, 5*time.Minute))
		f.hub.agenda.plan(back, f.join)
		f.flap(back.Add(2*time.Minute + f.of("online "+name, 10*time.Minute)))
	})
}
