package emulator

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// A route is one operation of the service API. A "*" in its path stands for an
// id, which is one segment with its escapes.
type route struct {
	method string
	path   string
	action string // the data actions it needs, below Microsoft.Devices/IotHubs/, with a space between
	serve  func(*hub, *call) (*answer, error)
}

// routes lists what is served. The first that matches is taken, so a path with
// a word stands before the one with an id in its place.
var routes = slices.Concat(twinRoutes, queryRoutes, configurationRoutes, deviceRoutes, moduleRoutes,
	bulkRoutes, statisticsRoutes, methodRoutes, digitalTwinRoutes, runtimeRoutes, jobRoutes, transferRoutes)

// A call is a request that is being answered, by whom it may be asked.
type call struct {
	method  string
	ids     []string // of the route's path, unescaped
	who     *principal
	path    string // escaped, as sent
	query   url.Values
	ifMatch string
	header  func(name string) string
	body    []byte
	now     time.Time
}

// ref returns the device or module that the path names.
func (c *call) ref() twin.Ref {
	r := twin.Ref{Device: c.ids[0]}
	if len(c.ids) > 1 {
		r.Module = c.ids[1]
	}
	return r
}

// findRoute returns the route of a request and the ids in its path. The path is
// matched while it is escaped, because an id may contain a "/" as %2F, and
// clients really send trailing slashes.
func findRoute(method, escaped string) (*route, []string) {
	segments := strings.Split(strings.TrimSuffix(strings.TrimPrefix(escaped, "/"), "/"), "/")
	for i := range routes {
		if routes[i].method != method {
			continue
		}
		if ids, ok := routes[i].match(segments); ok {
			return &routes[i], ids
		}
	}
	return nil, nil
}

func (r *route) match(segments []string) (ids []string, ok bool) {
	pattern := strings.Split(strings.TrimPrefix(r.path, "/"), "/")
	if len(pattern) != len(segments) {
		return nil, false
	}
	for i, want := range pattern {
		if want != "*" {
			if want != segments[i] {
				return nil, false
			}
			continue
		}
		id, err := url.PathUnescape(segments[i])
		if err != nil || id == "" {
			return nil, false
		}
		ids = append(ids, id)
	}
	return ids, true
}
