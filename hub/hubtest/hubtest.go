package hubtest

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/twin"
)

// A Hub is what the cases run on. Tags and desired properties of its twins are
// written over. What the cases make is called tr-hubtest-… and taken away again;
// whatever else the hub has is left alone.
//
// What is nil is an ability that this hub lacks: the cases that need it are
// skipped.
type Hub struct {
	Client  *hub.Client
	Devices []string // at least three that exist
	Module  twin.Ref // one that exists
	// Report plays a device: it merges patch into the reported properties of its
	// twin.
	Report func(ref twin.Ref, patch twin.Object) error
	// Play plays a device that answers methods, until the test ends.
	Play func(t *testing.T, ref twin.Ref, answer Answer)
	// Send sends a device a message, of whose fate the service wants to hear.
	Send func(device, messageID string) error
	// Indexed waits until queries show what was written before. Unlike of the
	// others, nil means that they do at once.
	Indexed func(context.Context) error
	// Pass lets so much time pass on the hub's clock.
	Pass func(context.Context, time.Duration) error
	// Raw sends a request to the hub as it is, but signed as those of Client unless
	// it is signed already. Its URL has a path and a query only.
	Raw func(*http.Request) (*http.Response, error)
	// Shared are signed in with the shared access policies of these names.
	Shared map[string]*hub.Client
	// Stranger is signed in and may do nothing.
	Stranger *hub.Client
	// OneJob says that the hub's tier runs one scheduled job at a time.
	OneJob bool
	// Container is where imports and exports read and write.
	Container *Container
}

// An Answer is what a device makes of a method: a status and a payload.
type Answer func(method string, payload json.RawMessage) (int, json.RawMessage)

// A Container is one of blob storage that the hub may read and write as itself.
type Container struct {
	URL   string
	Read  func(ctx context.Context, blob string) ([]byte, error)
	Write func(ctx context.Context, blob string, data []byte) error
}

// A Case is one thing that a hub does.
type Case struct {
	Name string
	// About names the operations that it shows, by their ids in Microsoft's
	// description of the API, with spaces between.
	About    string
	Evidence string // labels such as "REC; LIVE", see the package; a note may follow
	Run      func(*T)
}

// Operations returns the ids of the operations that c is about.
func (c *Case) Operations() []string { return strings.Fields(c.About) }

// Cases lists every case, in the order they run.
func Cases() []*Case {
	var all []*Case
	for _, list := range [][]*Case{
		counterCases, mergeCases, guardCases, twinCases, refusalCases, queryCases,
		deviceCases, moduleCases, bulkCases, statisticsCases,
		configurationCases, evaluationCases, edgeCases,
		digitalTwinCases, methodCases, messageCases, jobCases, transferCases, permissionCases, protocolCases,
	} {
		all = append(all, list...)
	}
	return all
}

// Run runs every case on the hub that start returns, which may be the same one
// each time: a case empties the twins it looks at.
func Run(t *testing.T, start func(*testing.T) Hub) {
	for _, c := range Cases() {
		t.Run(strings.ReplaceAll(c.Name, " ", "_"), func(t *testing.T) {
			h := start(t)
			if len(h.Devices) < 3 || h.Module.Module == "" {
				t.Fatal("the hub lacks the devices and the module that the cases need")
			}
			t.Logf("evidence: %s", c.Evidence)
			c.Run(&T{T: t, Hub: h})
		})
	}
}
