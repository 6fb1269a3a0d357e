package main

import "math"

// earth is the mean radius of the earth in metres.
const earth = 6_371_008.8

// A point is a place on the earth, in degrees.
type point struct{ lat, lon float64 }

// A fence bounds an area.
type fence interface {
	// distance returns the metres from p to the area, 0 inside.
	distance(p point) float64
}

// A circle is all that is within radius metres of its centre.
type circle struct {
	centre point
	radius float64
}

func (c circle) distance(p point) float64 { return max(0, between(c.centre, p)-c.radius) }

// between returns the metres between two points on a sphere, by the haversine
// formula, which is exact enough for small distances too.
func between(a, b point) float64 {
	lat1, lat2 := radians(a.lat), radians(b.lat)
	h := haversine(lat2-lat1) + math.Cos(lat1)*math.Cos(lat2)*haversine(radians(b.lon-a.lon))
	return 2 * earth * math.Asin(math.Sqrt(min(1, h)))
}

func haversine(x float64) float64 {
	s := math.Sin(x / 2)
	return s * s
}

func radians(degrees float64) float64 { return degrees * math.Pi / 180 }

// A polygon is the area within its corners. It does not reach around a pole.
type polygon []point

func (g polygon) distance(p point) float64 {
	inside, nearest := false, math.Inf(1)
	for i := range g {
		ax, ay := flat(p, g[i])
		bx, by := flat(p, g[(i+1)%len(g)])
		nearest = min(nearest, toSegment(ax, ay, bx, by))
		// p, which is at 0, 0, sees an odd number of edges to its east.
		if (ay > 0) != (by > 0) && (ax*by-bx*ay)/(by-ay) > 0 {
			inside = !inside
		}
	}
	if inside {
		return 0
	}
	return nearest
}

// flat returns where p lies from origin in metres to the east and north, on a map
// that is right near origin. It finds the short way across the date line.
func flat(origin, p point) (x, y float64) {
	lon := math.Mod(p.lon-origin.lon+540, 360) - 180
	return earth * radians(lon) * math.Cos(radians(origin.lat)), earth * radians(p.lat-origin.lat)
}

// toSegment returns the distance from 0, 0 to the line from a to b.
func toSegment(ax, ay, bx, by float64) float64 {
	dx, dy := bx-ax, by-ay
	t := 0.0
	if length := dx*dx + dy*dy; length > 0 {
		t = max(0, min(1, -(ax*dx+ay*dy)/length))
	}
	x, y := ax+t*dx, ay+t*dy
	return math.Sqrt(x*x + y*y)
}
