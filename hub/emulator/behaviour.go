package emulator

import "time"

// A Behaviour is how a fake device keeps to what it is told. The seed decides by
// a device's name which one it has.
//
// A device that obeys makes the leaves of its desired properties reported ones,
// takes away those that it had made so and that are desired no more, and reports
// ack.version, the $version it has come to. So a gate can watch
// reported.telemetry.intervalSec == desired.telemetry.intervalSec, or for all
// leaves reported.ack.version == desired.$version. One that fails reports
// lastError, with the version, a code and a message. What is desired when an
// emulator starts counts as done: a fleet is left as it is until it is written
// to.
type Behaviour struct {
	Name    string
	Percent int // of the devices
	Doc     string

	delay, spread time.Duration // until it obeys: delay, and up to spread more
	fails         bool
	silent        bool
	flaps         bool
}

// The behaviours of fake devices.
var (
	Prompt   = &Behaviour{Name: "prompt", Percent: 80, Doc: "obeys within 5 seconds", delay: time.Second, spread: 4 * time.Second}
	Slow     = &Behaviour{Name: "slow", Percent: 8, Doc: "obeys after 1 to 5 minutes", delay: time.Minute, spread: 4 * time.Minute}
	Failing  = &Behaviour{Name: "failing", Percent: 5, Doc: "reports lastError within 10 seconds", delay: 5 * time.Second, spread: 5 * time.Second, fails: true}
	Flapping = &Behaviour{Name: "flapping", Percent: 5, Doc: "is online for 2 to 12 minutes and then gone for up to 5", delay: time.Second, spread: 9 * time.Second, flaps: true}
	Silent   = &Behaviour{Name: "silent", Percent: 2, Doc: "is online and never answers", silent: true}
)

// Behaviours lists every behaviour there is. Their percents add up to 100.
var Behaviours = []*Behaviour{Prompt, Slow, Failing, Flapping, Silent}

// BehaviourOf returns how the fake device called device behaves, whether or not
// there is one.
func (e *Emulator) BehaviourOf(device string) *Behaviour { return behaviourOf(e.hub.dice, device) }

func behaviourOf(d *dice, device string) *Behaviour {
	draw := int(d.of("behaviour "+device) % 100)
	for _, b := range Behaviours {
		if draw -= b.Percent; draw < 0 {
			return b
		}
	}
	panic("emulator: the percents of the behaviours do not add up to 100")
}
