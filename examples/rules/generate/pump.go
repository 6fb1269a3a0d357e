package main

import (
	"fmt"
	"strings"
)

// drawPump draws a pump of a waterworks: it reports the pressure of the last hours
// and what its controller, of another maker, runs.
func drawPump(d dice, n int) []*document {
	doc, _ := identify(d, fmt.Sprintf("pump-%04d", n), "pump")
	c := drawSettings(d)
	duty, pump := pick(d, "day", "day", "night", "flush"), "run" // at noon
	if duty == "night" {
		pump = "rest"
	}
	if d.chance(50) { // as it was before
		pump = pick(d, "run", "rest")
	}
	if d.chance(970) {
		doc.tags = append(doc.tags, member{"duty", duty})
	}
	if c.noted != "" {
		doc.tags = append(doc.tags, member{"settingsDiffer", c.noted})
	}
	mode := "open"
	pressure, burst := drawPressure(d)
	if burst {
		doc.tags, mode = append(doc.tags, member{"suspect", "burst"}), "throttled"
	}
	doc.desired = object{
		{"pump", object{{"mode", pump}}}, {"valve", object{{"mode", mode}}},
		{"controller", object{{"settings", c.wanted}}},
	}
	if doc.isNew(d) {
		return []*document{doc}
	}
	doc.reported = object{{"pressure", object{{"unit", "bar"}, {"window", pressure}}}, {"controller", object{{"settings", c.found}}}}
	if n == odd {
		doc.reported = append(doc.reported, member{"note", hostile})
	}
	return []*document{doc}
}

// drawPressure draws the pressure of a day, the newest last, and whether there was
// a burst before. A few pipes burst just now, and some sensors say what is no
// number at times.
func drawPressure(d dice) (window []any, burst bool) {
	level := d.between(380, 460)
	for range 24 {
		window = append(window, decimal(level+d.between(-6, 6), 2))
	}
	switch n := d.IntN(1000); {
	case n < 20:
		window[23] = decimal(d.between(60, 200), 2)
	case n < 30:
		window[23] = decimal(d.between(60, 200), 2)
		burst = true
	case n < 50:
		burst = true // it was repaired
	case n < 60:
		window[3], window[17] = "", "n/a"
	case n < 70:
		window = window[:3]
	case n < 80:
		window[9] = decimal(9999, 2) // a spike long ago
	}
	return window, burst
}

// Settings are what the controller of a pump should run, what it says that it
// runs, and what somebody noted of that.
type settings struct{ wanted, found, noted string }

// drawSettings draws settings, which a controller gives back in an order and a
// spelling of its own.
func drawSettings(d dice) settings {
	p, limit := d.between(20, 60), d.between(8, 12)
	c := settings{wanted: fmt.Sprintf("P1=%s; mode=auto; LIM=%d,%d", decimal(p, 1), limit, 2*limit)}
	mode := pick(d, "auto", "AUTO", "Auto")
	if n := d.IntN(100); n < 3 {
		mode = "manual"
	} else if n < 5 {
		p++
	} else if n < 7 {
		c.noted = "mode"
	}
	parts := []string{fmt.Sprintf("LIM=%d.0,%d", limit, 2*limit), "MODE=" + mode, fmt.Sprintf("P1=%s0", decimal(p, 1)), fmt.Sprintf("UPTIME=%d", d.between(1, 90_000))}
	c.found = strings.Join(parts, ";") + ";"
	if d.chance(8) {
		c.found = "ERR 17" // its memory is worn
	}
	return c
}
