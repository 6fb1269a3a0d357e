package main

import (
	"fmt"
	"slices"
	"time"
)

// drawBuilding draws what stands in one building: a gateway that runs IoT Edge
// and, below it, controllers of ventilation and meters.
func drawBuilding(d dice, n int) []*document {
	s := pick(d, sites...)
	gateway := drawEdge(d, s, n)
	list := append([]*document{gateway}, edgeModules(d, gateway)...)
	for i := range d.between(2, 4) {
		list = append(list, drawController(d, s, gateway, 10*n+i))
	}
	for i := range d.between(3, 5) {
		list = append(list, drawMeter(d, s, gateway, 10*n+i))
	}
	return list
}

// drawEdge draws the gateway of a building. Its id names its site.
func drawEdge(d dice, s site, n int) *document {
	doc := &document{device: fmt.Sprintf("edge-%s-%02d", s.code, n), edge: true, auth: "certificateAuthority", seen: lastSeen(d)}
	stage := "production"
	if n%8 == 0 {
		stage = "test"
	}
	doc.tags = object{{"kind", "edge"}, {"site", s.code}, {"stage", stage}}
	doc.desired = object{{"logging", object{{"level", pick(d, "info", "info", "info", "info", "info", "debug")}}}}
	doc.reported = object{{"cert", certificate(d)}, {"disk", object{{"usedPct", d.between(20, 88)}}}}
	return doc
}

// certificate draws what a device says of its certificate: most have long to
// go, and not all say it in the same way.
func certificate(d dice) object {
	days := d.between(60, 700)
	switch n := d.IntN(100); {
	case n < 4:
		days = d.between(1, 29)
	case n < 5:
		days = -3
	}
	end := taken.Add(time.Duration(days) * day).Truncate(time.Second)
	text := any(end.Format(time.RFC3339))
	switch n := d.IntN(100); {
	case n < 3:
		text = end.Format("02.01.2006") // of one maker's early firmware
	case n < 20:
		text = end.Unix()
	}
	return object{{"notAfter", text}, {"issuer", pick(d, "contoso-device-ca-1", "contoso-device-ca-2")}}
}

// edgeModules draws the runtime of a gateway, which reports as the runtime does,
// and the module that logs.
func edgeModules(d dice, of *document) []*document {
	version := pick(d, "1.4.33", "1.4.33", "1.5.19", "1.5.19", "1.5.19", "1.5.21")
	agent := &document{device: of.device, module: "$edgeAgent", auth: "none", seen: of.seen, reported: object{
		{"schemaVersion", "1.1"}, {"version", object{{"version", version}, {"build", fmt.Sprint(d.between(4e7, 9e7))}}},
		{"lastDesiredStatus", object{{"code", 200}, {"description", ""}}},
		{"runtime", object{{"type", "docker"}, {"platform", object{{"os", "linux"}, {"architecture", pick(d, "arm64v8", "x86_64")}}}}},
	}}
	logger := &document{
		device: of.device, module: "logger", auth: "sas", seen: of.seen, tags: slices.Clone(of.tags),
		desired: object{{"upload", object{{"everyMin", 60}}}}, reported: object{{"image", pick(d, "logger:1.2.0", "logger:1.3.1")}},
	}
	return []*document{agent, logger}
}

// drawController draws a controller of ventilation. Who commissioned it did not
// always write down where it hangs: the gateway above it says so.
func drawController(d dice, s site, gateway *document, n int) *document {
	doc := &document{device: fmt.Sprintf("hvac-%04d", n), auth: "selfSigned", seen: lastSeen(d), parent: gateway, model: "dtmi:contoso:hvac;2"}
	doc.tags = object{{"kind", "hvac"}, {"occupancy", pick(d, "in use", "in use", "in use", "in use", "in use", "in use", "in use", "in use", "in use", "empty")}}
	if d.chance(900) {
		doc.tags = append(doc.tags, member{"site", s.code})
	}
	setpoint := d.between(200, 235)
	doc.desired = object{{"setpointC", decimal(setpoint, 1)}, {"fan", object{{"level", d.between(1, 3)}}}}
	if d.chance(70) { // configured for the first model, in tenths of a degree
		doc.desired = object{{"setpoint", setpoint}, {"fan", object{{"level", d.between(1, 3)}}}}
	}
	doc.desired = append(doc.desired, leftovers(d)...)
	if doc.isNew(d) {
		return doc
	}
	doc.reported = object{
		{"cert", certificate(d)}, {"sw", object{{"version", pick(d, "2.3.9", "2.4.0", "2.4.1", "2.4.3", "2.4.3", "2.4.3", "2.4.3", "2.4.3", "2.4.3", "2.4.3", "2.4.3", "2.4.3", "2.4.3", "2.4.3", "2.5.0")}}},
		{"filter", object{{"pa", filterPressure(d)}}}, {"serial", fmt.Sprintf("HV%06d", 310_000+n*17)},
	}
	if n == odd*10 {
		doc.reported[1] = member{"sw", object{{"version", "2.4.1" + hostile}}}
	}
	return doc
}

// leftovers are settings of a cloud that nobody uses any more.
func leftovers(d dice) object {
	if !d.chance(80) {
		return nil
	}
	return object{{"legacyCloud", object{{"host", "iot.contoso.example"}, {"token", "s3cret"}}}}
}

func filterPressure(d dice) int {
	switch n := d.IntN(100); {
	case n < 4:
		return d.between(251, 400)
	case n < 15:
		return d.between(180, 249)
	}
	return d.between(40, 170)
}

// drawMeter draws a meter. Some were disabled when their contract ended.
func drawMeter(d dice, s site, gateway *document, n int) *document {
	doc := &document{device: fmt.Sprintf("meter-%04d", n), auth: "sas", seen: lastSeen(d), parent: gateway}
	doc.tags = object{{"kind", "meter"}, {"site", s.code}, {"customer", pick(d, customers...)}}
	doc.desired = object{{"report", object{{"everyMin", pick(d, 15, 15, 15, 60)}}}, {"wifi", object{{"ssid", "contoso-meters"}, {"psk", "s3cret"}}}}
	if d.chance(60) {
		doc.disabled = "contract ended"
	}
	if d.chance(800) {
		doc.desired = append(doc.desired, member{"clock", object{{"timeZone", zones[s.code]}}})
		doc.tags = append(doc.tags, member{"timeZone", zones[s.code]})
	}
	if doc.isNew(d) {
		return doc
	}
	doc.reported = object{{"cert", certificate(d)}, {"sw", object{{"version", pick(d, "1.8.2", "1.9.0")}}}, {"serial", fmt.Sprintf("MT%06d", 520_000+n*13)}}
	return doc
}

// zones are where the clocks of sites are.
var zones = map[string]string{"muc": "Europe/Berlin", "ber": "Europe/Berlin", "got": "Europe/Stockholm", "hel": "Europe/Helsinki", "mil": "Europe/Rome"}
