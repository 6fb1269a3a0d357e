package main

import (
	"errors"

	plugin "github.com/twinrules/twinrules/plugins/sdk/go"
)

// A site is a place that devices belong to.
type site struct {
	name  string
	fence fence
}

func find(sites []site, name string) *site {
	for i := range sites {
		if sites[i].name == name {
			return &sites[i]
		}
	}
	return nil
}

// readSites reads the sites of the configuration. The schema in plugin.json has
// checked its shape; what a schema cannot say is checked here.
func readSites(config plugin.Value) (sites []site, err error) {
	for v := range config.Get("sites").Elements() {
		name, _ := v.Get("name").Text()
		if name == "" {
			return nil, errors.New("a site has no name")
		}
		if find(sites, name) != nil {
			return nil, errors.New("two sites are called " + name)
		}
		f, err := readFence(v)
		if err != nil {
			return nil, errors.New("site " + name + ": " + err.Error())
		}
		sites = append(sites, site{name, f})
	}
	if sites == nil {
		return nil, errors.New("there are no sites")
	}
	return sites, nil
}

func readFence(v plugin.Value) (fence, error) {
	corners := v.Get("polygon")
	radius, isCircle := v.Get("radiusM").Float()
	switch {
	case corners.Exists() && isCircle:
		return nil, errors.New("it has both a polygon and a radius")
	case corners.Exists():
		return readPolygon(corners)
	case !isCircle || radius <= 0:
		return nil, errors.New("it has neither a polygon nor a radius of more than 0 metres")
	}
	centre, ok := readPoint(v)
	if !ok {
		return nil, errors.New("it has no centre on the earth")
	}
	return circle{centre, radius}, nil
}

func readPolygon(v plugin.Value) (polygon, error) {
	var g polygon
	for corner := range v.Elements() {
		p, ok := readPoint(corner)
		if !ok {
			return nil, errors.New("a corner is not on the earth")
		}
		g = append(g, p)
	}
	if len(g) < 3 {
		return nil, errors.New("a polygon has at least three corners")
	}
	return g, nil
}

// readPoint reads an object with lat and lon in degrees, and reports whether it
// is a place on the earth. Devices send anything.
func readPoint(v plugin.Value) (point, bool) {
	lat, ok1 := v.Get("lat").Float()
	lon, ok2 := v.Get("lon").Float()
	return point{lat, lon}, ok1 && ok2 && -90 <= lat && lat <= 90 && -180 <= lon && lon <= 180
}
