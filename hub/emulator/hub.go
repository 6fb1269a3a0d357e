package emulator

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// versions lists the API versions that a hub takes, as observed.
var versions = []string{"2018-06-30", "2020-03-13", "2020-05-31-preview", "2020-09-30", "2021-04-12", "2024-03-31"}

// A hub answers the service API from its fleet and configurations.
type hub struct {
	gate     gate
	limits   limits
	ctx      context.Context // done when the emulator closes
	real     bool            // whether now is the real clock, by which devices and requests take time
	dice     *dice
	now      func() time.Time
	pageSize int
	gaps     bool // whether an empty page follows every page of a query
	strict   bool // whether queries with an unknown meaning are refused
	tier     *tier
	shaping  shaping
	open     func(ctx context.Context, at *ContainerAddress) (Container, error)
	storage  *storageIdentities

	mu             sync.Mutex // guards what follows
	fleet          *fleet
	index          *fleet // what queries see; the fleet itself unless it lags
	lag            time.Duration
	configurations configurations
	agenda         agenda
	errands        sync.WaitGroup // counts up only under mu and before ctx is done
	registry       registry
	connections    connections
	fakes          map[twin.Ref]*fake
	mail           mail
	events         *eventLog // nil for none
	views          views
	jobs           jobs
	transfers      transfers
	store          *store // nil when nothing is kept
	self           *selfhood
}

// serve answers one request: who asks, what for, may they, then the route.
func (h *hub) serve(r *http.Request, body []byte) (*answer, string) {
	who, err := h.gate.admit(r)
	if err != nil {
		return h.refused(r, err), ""
	}
	a, err := h.perform(r, body, who)
	if err == errClosing {
		return nil, who.name
	}
	if err == nil {
		err = h.kept()
	}
	if err != nil {
		return h.refused(r, err), who.name
	}
	h.dress(a)
	return a, who.name
}

func (h *hub) perform(r *http.Request, body []byte, who *principal) (*answer, error) {
	if version := r.URL.Query().Get("api-version"); !slices.Contains(versions, version) {
		return nil, refuse("InvalidProtocolVersion", "The api-version '%s' is not one of %s.", version, strings.Join(versions, ", "))
	}
	route, ids := findRoute(r.Method, r.URL.EscapedPath())
	if route == nil {
		return nil, refuse("InvalidOperation", "The emulator does not serve %s on %s.", r.Method, r.URL.EscapedPath())
	}
	if err := who.authorize(route.action, r); err != nil {
		return nil, err
	}
	c := &call{
		method: r.Method, ids: ids, who: who, path: r.URL.EscapedPath(), query: r.URL.Query(), body: body,
		header: r.Header.Get, ifMatch: r.Header.Get("If-Match"), now: h.now(),
	}
	if err := h.shape(r, route, c); err != nil {
		return nil, err
	}
	h.catchUp(c.now)
	return route.serve(h, c)
}

// refused answers with err. An error that is no refusal is a bug.
func (h *hub) refused(r *http.Request, err error) *answer {
	refusal, ok := err.(*refusal)
	if !ok {
		panic(fmt.Sprintf("emulator: %s %s: %v", r.Method, r.URL.EscapedPath(), err))
	}
	a := refusal.answer(r.URL.EscapedPath(), fmt.Sprintf("%X", h.dice.bytes(16)), h.now())
	if a.status == http.StatusTooManyRequests && h.shaping.after > 0 {
		a.header.Set("Retry-After", strconv.Itoa(int(math.Ceil(h.shaping.after.Seconds()))))
	}
	h.dress(a)
	return a
}

// fail answers with a scripted error.
func (h *hub) fail(r *http.Request, f *Fault) *answer {
	return h.refused(r, f.refusal(operationOf(r)))
}

// operationOf names an operation as the text of a 429 does. Only
// "ConfigurationWrite" was seen on the wire; the others are made like it.
func operationOf(r *http.Request) string {
	route, _ := findRoute(r.Method, r.URL.EscapedPath())
	if route == nil {
		return "Unknown"
	}
	first, _, _ := strings.Cut(route.action, " ")
	what, how, _ := strings.Cut(first, "/")
	return title(strings.TrimSuffix(what, "s")) + title(how)
}

func title(word string) string {
	if word == "" {
		return ""
	}
	return strings.ToUpper(word[:1]) + word[1:]
}

// dress adds the headers that every answer of the hub has.
func (h *hub) dress(a *answer) {
	a.header.Set("Server", "Microsoft-HTTPAPI/2.0")
	a.header.Set("Vary", "Origin")
	a.header["x-ms-request-id"] = []string{h.dice.uuid()}
}
