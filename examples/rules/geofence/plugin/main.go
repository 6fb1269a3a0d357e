// Command plugin is the geofence plugin: it says whether a device is where its
// site is.
//
// A device's tags.site names one of the configured sites, whose fence is a circle
// or a polygon. For a device that has reported a position, the rule learns
//
//	plugin.inside     whether it is inside of the fence
//	plugin.distanceM  how many metres it is from the fence, 0 inside
//	plugin.site       the site's name
//
// A device without a position or a known site does not match, since nobody can
// tell where it should be or is. So a rule says
//
//	plugin: {use: geofence, with: {sites: [{name: muc, lat: 48.3538, lon: 11.7861, radiusM: 3000}]}}
//	when: plugin.distanceM > 500
//
// After a change, build ../geofence.wasm again, with plugin.json inside:
//
//	UPDATE=1 go test -run TestBuild ./examples/rules/geofence/plugin
package main

import plugin "github.com/twinrules/twinrules/plugins/sdk/go"

var _ = plugin.Main(configure)

func main() {}

// configure reads the sites.
func configure(config plugin.Value) (plugin.Judge, error) {
	sites, err := readSites(config)
	if err != nil {
		return nil, err
	}
	return func(in plugin.Input, a *plugin.Answer) (bool, error) {
		name, _ := in.Twin.Get("tags.site").Text()
		s := find(sites, name)
		at, ok := readPoint(in.Twin.Get("reported.position"))
		if s == nil || !ok {
			return false, nil
		}
		distance := s.fence.distance(at)
		a.Fact("inside", distance == 0)
		a.Fact("distanceM", int(distance+0.5))
		a.Fact("site", s.name)
		return true, nil
	}, nil
}
