package main

import "fmt"

// A reefer is a refrigerated trailer as it is, whoever made it.
type reefer struct {
	battery     int // percent; less than 0 when it was never reported
	saver       bool
	interval    int // seconds between reports; 0 for none set
	door        bool
	openMinutes int
	temp, set   int // tenths of a degree
	alarm       string
	fuel        int // percent
	ftp         bool
	firmware    string
}

// A situation happens to this many reefers in a thousand.
type situation struct {
	perMille int
	happen   func(d dice, r *reefer, gold bool)
}

// situations lists what rules look for. To most reefers none of it happens.
var situations = []situation{
	{36, func(d dice, r *reefer, _ bool) { r.battery = d.between(3, 19) }},
	{20, func(d dice, r *reefer, _ bool) { r.battery = d.between(20, 24) }},
	{25, func(d dice, r *reefer, gold bool) { r.battery = d.between(3, 19); r.save(gold) }},
	{18, func(d dice, r *reefer, gold bool) { r.battery = d.between(36, 90); r.save(gold) }},
	{12, func(d dice, r *reefer, _ bool) { r.open(d, 31, 90) }},
	{10, func(d dice, r *reefer, _ bool) { r.open(d, 16, 29) }},
	{8, func(d dice, r *reefer, _ bool) { r.open(d, 16, 90); r.alarm = "warm-cargo" }},
	{16, func(d dice, r *reefer, _ bool) { r.alarm = pick(d, "warm-cargo", "warm-cargo", "door") }},
	{30, func(d dice, r *reefer, _ bool) { r.door, r.openMinutes = true, d.between(1, 14) }},
	{20, func(d dice, r *reefer, _ bool) { r.battery = -1 }},
}

func drawReefer(d dice, gold bool) *reefer {
	r := &reefer{
		battery: d.between(26, 100), interval: pick(d, 60, 60, 60, 60, 120, 120, 0),
		set: pick(d, -200, -200, 20, 40), fuel: d.between(16, 98), firmware: drawFirmware(d), ftp: d.chance(30),
	}
	r.temp = r.set + d.between(-9, 14)
	if d.chance(25) {
		r.fuel = d.between(2, 14)
	}
	left := d.IntN(1000)
	for _, s := range situations {
		if left -= s.perMille; left < 0 {
			s.happen(d, r, gold)
			break
		}
	}
	return r
}

// save sets what a reefer has that saves power already.
func (r *reefer) save(gold bool) {
	r.saver, r.interval = true, 900
	if gold {
		r.interval = 300
	}
}

// open leaves the door open for some minutes until the cargo is warm.
func (r *reefer) open(d dice, low, high int) {
	r.door, r.openMinutes = true, d.between(low, high)
	r.temp = r.set + d.between(61, 140)
}

func drawFirmware(d dice) string {
	if d.chance(45) {
		return pick(d, "1.9.4", "2.0.2", "2.2.9-beta.1")
	}
	return pick(d, "2.3.0", "2.4.1", "2.4.1", "2.5.0", "2.5.0")
}

// tags adds to a reefer's tags what rules and people left there.
func (r *reefer) tags(o object) object {
	if r.saver {
		o = append(o, member{"power", "saver"})
	}
	if r.alarm != "" {
		o = append(o, member{"alarm", r.alarm})
	}
	return o
}

func (r *reefer) desired() (o object) {
	if r.interval > 0 {
		o = append(o, member{"telemetry", object{{"intervalSec", r.interval}, {"compress", true}}})
	}
	o = append(o, member{"setpointC", decimal(r.set, 1)})
	if r.ftp {
		o = append(o, member{"upload", object{{"ftp", object{{"host", "ftp.contoso.example"}, {"passive", true}}}, {"everyMin", 240}}})
	}
	return o
}

// drawNordfrost draws a reefer that reports in the way of its maker Nordfrost.
// Its firmware before version 2 reports numbers as text.
func drawNordfrost(d dice, n int) []*document {
	doc, s := identify(d, fmt.Sprintf("reefer-%04d", n), "reefer")
	r := drawReefer(d, doc.isGold())
	doc.tags, doc.desired = r.tags(doc.tags), r.desired()
	if doc.isNew(d) {
		return []*document{doc}
	}
	doc.reported = object{{"maker", "Nordfrost"}, {"fw", r.firmware}}
	if r.battery >= 0 {
		doc.reported = append(doc.reported, member{"battery", object{{"pct", r.percent()}, {"mV", 11_400 + 14*r.battery}}})
	}
	door := "closed"
	if r.door {
		door = "open"
	}
	doc.reported = append(doc.reported,
		member{"cargo", object{{"door", door}, {"openMin", r.openMinutes}, {"tempC", decimal(r.temp, 1)}, {"setC", decimal(r.set, 1)}}},
		member{"fuel", object{{"pct", r.fuel}}},
		member{"position", s.somewhere(d)})
	if n == odd {
		doc.reported = append(doc.reported, member{"lastError", hostile})
	}
	return []*document{doc}
}

func (r *reefer) percent() any {
	if r.firmware < "2" {
		return fmt.Sprint(r.battery)
	}
	return r.battery
}

// drawKaeltewerk draws a reefer that reports in the way of its maker Kältewerk.
// Some have their locator as a module.
func drawKaeltewerk(d dice, n int) []*document {
	doc, s := identify(d, fmt.Sprintf("kw-%05d", 20_000+7*n), "reefer")
	r := drawReefer(d, doc.isGold())
	doc.model = "dtmi:kaeltewerk:reefer;2"
	doc.tags, doc.desired = r.tags(doc.tags), r.desired()
	if doc.isNew(d) {
		return []*document{doc}
	}
	doc.reported = object{{"device", object{{"vendor", "Kältewerk"}, {"firmware", "v" + r.firmware}}}}
	if r.battery >= 0 {
		doc.reported = append(doc.reported, member{"power", object{{"soc", decimal(10*r.battery+d.IntN(10), 1)}, {"source", pick(d, "battery", "shore", "engine")}}})
	}
	doc.reported = append(doc.reported, member{"compartment", object{
		{"doorOpen", r.door}, {"openSeconds", 60 * r.openMinutes}, {"temperature", decimal(r.temp, 1)}, {"setpoint", decimal(r.set, 1)},
	}}, member{"fuel", object{{"pct", r.fuel}}})
	if !d.chance(200) {
		return []*document{doc}
	}
	return []*document{doc, locatorModule(d, doc, s.somewhere(d))}
}

func (d *document) isGold() bool {
	for _, m := range d.tags {
		if m.key == "tier" {
			return m.value == "gold"
		}
	}
	return false
}
