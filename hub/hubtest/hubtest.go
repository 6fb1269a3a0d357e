package hubtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/twin"
)

// A Hub is what the cases run on. Tags and desired properties of its twins are
// written over; its configurations are left alone, but for those called
// tr-hubtest-….
type Hub struct {
	Client  *hub.Client
	Devices []string // at least three that exist
	Module  twin.Ref // one that exists
	// Report plays a device: it merges patch into the reported properties of its
	// twin. With nil, the cases that need a device are skipped.
	Report func(ref twin.Ref, patch twin.Object) error
	// Indexed waits until queries show what was written before. Nil means that
	// they do at once.
	Indexed func(context.Context) error
}

// A Case is one thing that a hub does.
type Case struct {
	Name     string
	Evidence string // such as "REC" or "LIVE", why it is believed
	Run      func(*T)
}

// Cases lists every case, in the order they run.
func Cases() []*Case {
	var all []*Case
	for _, list := range [][]*Case{counterCases, mergeCases, guardCases, queryCases, configurationCases, refusalCases} {
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

// T is a running case.
type T struct {
	*testing.T
	Hub
}

// device returns the first device's name, its twin emptied.
func (t *T) device() twin.Ref {
	t.Helper()
	return t.emptied(t.Devices[0])
}

func (t *T) emptied(id string) twin.Ref {
	t.Helper()
	if _, err := t.Client.NewRegistryClient().ReplaceTwin(t.Context(), id, hub.TwinContent{}, nil); err != nil {
		t.Fatal(err)
	}
	return twin.Ref{Device: id}
}

// read returns the twin as it is now.
func (t *T) read(ref twin.Ref) *twin.Twin {
	t.Helper()
	tw, err := t.Client.Twin(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	return tw
}

// patch merges JSON texts into tags and desired properties, "" for nothing.
func (t *T) patch(ref twin.Ref, tags, desired string) *twin.Twin {
	t.Helper()
	tw, err := t.Client.PatchTwin(t.Context(), ref, twin.Patch{Tags: t.object(tags), Desired: t.object(desired)}, "*")
	if err != nil {
		t.Fatal(err)
	}
	return tw
}

func (t *T) object(text string) twin.Object {
	t.Helper()
	if text == "" {
		return nil
	}
	o, err := twin.DecodeObject([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// settled waits for the query index.
func (t *T) settled() {
	t.Helper()
	if t.Indexed == nil {
		return
	}
	if err := t.Indexed(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// wantTags compares tags with a JSON text.
func (t *T) wantTags(tw *twin.Twin, want string) {
	t.Helper()
	if got := string(twin.Encode(tw.Tags())); got != want {
		t.Errorf("tags: got %s, want %s", got, want)
	}
}

// wantError checks that err wraps sentinel and carries the hub's code, where
// "" stands for any.
func (t *T) wantError(err, sentinel error, code string) {
	t.Helper()
	var said *azcore.ResponseError
	if !errors.As(err, &said) {
		t.Fatalf("got %v, want an error of the hub", err)
	}
	if sentinel != nil && !errors.Is(err, sentinel) {
		t.Errorf("got %v, want one that is %q", err, sentinel)
	}
	if code != "" && said.ErrorCode != code {
		t.Errorf("got code %s in %v, want %s", said.ErrorCode, err, code)
	}
}

// moves says by how much the counters of a twin moved.
func moves(before, after *twin.Twin) string {
	etag := "same"
	if before.ETag != after.ETag {
		etag = "new"
	}
	return fmt.Sprintf("etag %s, version +%d, desired +%d, reported +%d", etag,
		after.Version-before.Version, after.DesiredVersion()-before.DesiredVersion(),
		reportedVersion(after)-reportedVersion(before))
}
