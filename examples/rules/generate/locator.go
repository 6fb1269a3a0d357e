package main

import "fmt"

// drawLocator draws a tracker on yard equipment that should stay in its depot.
func drawLocator(d dice, n int) []*document {
	doc, s := identify(d, fmt.Sprintf("loc-%06x", 0xa40000+n*37), "locator")
	w := drawWhereabouts(d, s)
	if w.outside > 0 {
		doc.tags = append(doc.tags, member{"outsideKm", w.outside})
	}
	doc.desired = object{{"locator", object{{"mode", w.mode}, {"fixEveryMin", pick(d, 30, 60, 60)}}}}
	if doc.isNew(d) {
		return []*document{doc}
	}
	doc.reported = object{{"fw", pick(d, "1.4.0", "1.4.2", "1.5.0")}, {"battery", object{{"pct", d.between(8, 100)}}}, {"mode", w.mode}}
	if w.position != nil {
		doc.reported = append(doc.reported, member{"position", w.position})
	}
	if n == odd {
		doc.reported = append(doc.reported, member{"note", hostile})
	}
	return []*document{doc}
}

// Whereabouts are where a locator is, and what was made of that before.
type whereabouts struct {
	position object
	mode     string
	outside  int // kilometres, as its tags have it
}

func drawWhereabouts(d dice, s site) whereabouts {
	w := whereabouts{position: s.near(d, 0, 2500), mode: "eco"}
	switch n := d.IntN(1000); {
	case n < 40: // gone
		w.position = s.near(d, 4000, pick(d, 11_000, 11_000, 90_000, 700_000))
		w.mode = pick(d, "eco", "eco", "normal")
	case n < 65: // gone, and known to be
		w = whereabouts{s.near(d, 20_000, 90_000), "live", 100}
	case n < 90: // back
		w.mode, w.outside = "live", pick(d, 10, 10, 100)
	case n < 110: // at the fence: neither in nor out
		w.position = s.near(d, 3150, 3400)
	case n < 125: // no fix
		w.position = nil
	case n < 135: // a receiver that says 0, 0 for no fix
		w.position = object{{"lat", 0}, {"lon", 0}, {"accM", 9999}}
	case n < 145: // numbers as text
		w.position = object{{"lat", decimal(s.lat, 6).String()}, {"lon", decimal(s.lon, 6).String()}}
	}
	return w
}

// locatorModule returns the module of a device that tells where it is.
func locatorModule(d dice, of *document, position object) *document {
	return &document{
		device: of.device, module: "locator", auth: "sas", seen: of.seen, tags: of.tags[:2:2],
		desired:  object{{"mode", "eco"}},
		reported: object{{"fw", pick(d, "0.9.1", "1.0.0")}, {"position", position}},
	}
}
