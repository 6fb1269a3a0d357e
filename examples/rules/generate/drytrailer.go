package main

import "fmt"

// drawDryTrailer draws a trailer without refrigeration. Its numbers come in
// more than one type, since its box is configured by hand.
func drawDryTrailer(d dice, n int) []*document {
	doc, s := identify(d, fmt.Sprintf("dry-%04d", n), "dry")
	if d.chance(900) {
		doc.desired = object{{"telemetry", object{{"intervalSec", pick(d, 900, 900, 3600)}}}}
	}
	if doc.isNew(d) {
		return []*document{doc}
	}
	tyres := make([]any, 6)
	for i := range tyres {
		tyres[i] = decimal(d.between(71, 93), 1)
	}
	doc.reported = object{{"fw", pick(d, "1.12", "1.12", "1.9")}, {"battery", d.between(20, 100)}, {"tyresBar", tyres}, {"position", s.somewhere(d)}}
	if d.chance(60) {
		doc.reported[1] = member{"battery", object{{"pct", "n/a"}}}
	}
	return []*document{doc}
}
