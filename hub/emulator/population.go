package emulator

import (
	"fmt"

	"github.com/twinrules/twinrules/hub/twin"
)

// makeDevices makes n devices when there is no fleet.
func (h *hub) makeDevices(n int) {
	if len(h.fleet.documents) > 0 {
		return
	}
	for i := range n {
		t, err := twin.Parse(twin.Encode(h.newDevice(i + 1)))
		if err != nil {
			panic(err) // the names are ours
		}
		d, err := birth(t, h.dice, h.now())
		if err != nil {
			panic(err)
		}
		h.fleet.put(d)
	}
}

// What fake devices are like, drawn for each by its name.
var (
	fakeSites  = []any{"munich", "porto", "osaka", "austin", "recife"}
	fakeModels = []any{"pump-2", "pump-3", "chiller-1"}
	fakeRings  = []any{"canary", "early", "broad", "broad", "broad", "broad", "broad", "broad"}
	fakeBuilds = []any{"2.3.0", "2.3.1", "2.4.0"}
)

func (h *hub) newDevice(i int) twin.Object {
	id := fmt.Sprintf("device-%06d", i)
	draw := func(what string, among []any) any { return among[h.dice.of(what+" "+id)%uint64(len(among))] }
	telemetry := twin.Object{"intervalSec": number(60)}
	return twin.Object{
		"deviceId": id,
		"tags":     twin.Object{"site": draw("site", fakeSites), "model": draw("model", fakeModels), "ring": draw("ring", fakeRings)},
		"properties": twin.Object{
			"desired": twin.Object{"telemetry": telemetry},
			"reported": twin.Object{
				"telemetry": telemetry,
				"firmware":  twin.Object{"version": draw("firmware", fakeBuilds)},
				"battery":   twin.Object{"percent": number(int64(20 + h.dice.of("battery "+id)%81))},
			},
		},
	}
}

// enliven connects fake devices for the first n devices.
func (h *hub) enliven(n int) error {
	if n < 0 {
		return fmt.Errorf("%d devices", n)
	}
	now := h.now()
	h.fakes = map[twin.Ref]*fake{}
	for _, d := range h.fleet.all() {
		if n == 0 {
			break
		}
		if d.ref.Module != "" {
			continue
		}
		n--
		f := newFake(h, d)
		f.join(now)
		h.fakes[d.ref] = f
		if f.flaps {
			f.flap(now.Add(f.of("first gone", f.spread*60)))
		}
	}
	return nil
}
