package fleet

import "fmt"

// A family is a sort of device.
type family struct {
	name   string
	models []string
	model  string // Plug and Play
	edge   bool   // runs IoT Edge, and so has modules
	weight int    // in a hundred
	// extra draws what only this family reports.
	extra func(d dice) []member
}

// families lists them; the weights make a hundred.
func families() []*family {
	return []*family{
		{name: "thermostat", models: []string{"TH-110A", "TH-110B", "TH-240C", "TH-310D"}, model: "dtmi:contoso:thermostat;3", weight: 28, extra: drawThermostat},
		{name: "reefer", models: []string{"RF-900", "RF-910", "RF-S40"}, weight: 16, extra: drawReefer},
		{name: "meter", models: []string{"MT-3P-A", "MT-1P-B", "MT-1P-C"}, weight: 24, extra: drawMeter},
		{name: "pump", models: []string{"PU-450", "PU-900", "PU-901"}, model: "dtmi:contoso:pump;1", weight: 12, extra: drawPump},
		{name: "locator", models: []string{"LC-LTE-1", "LC-LTE-2", "LC-SAT-1"}, weight: 11, extra: drawLocator},
		{name: "camera", models: []string{"CM-4K-010", "CM-HD-007"}, weight: 6, extra: drawCamera},
		{name: "gateway", models: []string{"GW-EDGE-2", "GW-EDGE-4"}, edge: true, weight: 3, extra: drawGateway},
	}
}

func familyOf(n int) *family {
	for _, f := range families() {
		if n -= f.weight; n < 0 {
			return f
		}
	}
	panic("the weights of the families make less than a hundred")
}

func drawThermostat(d dice) []member {
	return []member{
		battery(d), raw("temperature", decimal(d.between(500, 4200))),
		object("valve", number("openPct", d.between(0, 100))),
	}
}

func drawReefer(d dice) []member {
	return []member{
		battery(d), raw("temperature", decimal(d.between(-2800, 900))),
		object("door", flag("open", d.chance(60))),
		object("compressor", number("hours", d.between(10, 40_000)), text("state", pick(d, "idle", "cooling", "defrost"))),
	}
}

func drawMeter(d dice) []member {
	return []member{
		object("energy", raw("kWh", decimal(d.between(0, 9_000_000)))),
		object("volts", raw("l1", decimal(d.between(21500, 24500)))),
		raw("temperature", decimal(d.between(-500, 6000))),
	}
}

func drawPump(d dice) []member {
	return []member{
		battery(d), object("vibration", raw("rmsMms", decimal(d.between(10, 1200))), number("alarms", d.between(0, 5))),
		object("flow", raw("m3h", decimal(d.between(0, 4000)))),
	}
}

func drawLocator(d dice) []member {
	lat, lon := d.between(-9000, 9000), d.between(-18000, 18000)
	return []member{battery(d), object("position", raw("lat", decimal(lat)), raw("lon", decimal(lon)), flag("fix", d.chance(850)), number("satellites", d.between(0, 14)))}
}

func drawCamera(d dice) []member {
	return []member{disk(d), object("stream", number("fps", pick(d, 10, 15, 25)), text("codec", pick(d, "h264", "h265")), flag("privacy", d.chance(300)))}
}

func drawGateway(d dice) []member {
	return []member{disk(d), object("runtime", text("version", fmt.Sprintf("1.5.%d", d.between(0, 30))), number("modules", d.between(2, 9)), flag("healthy", d.chance(930)))}
}

// battery draws a charge; some sensors have failed and report null.
func battery(d dice) member {
	level := number("level", d.between(0, 100))
	if d.chance(25) {
		level = raw("level", "null")
	}
	return object("battery", level)
}

func disk(d dice) member {
	total := 1024 << d.between(2, 7)
	return object("disk", number("totalMB", total), number("usedMB", d.between(0, total)))
}
