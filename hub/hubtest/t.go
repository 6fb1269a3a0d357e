package hubtest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/twin"
)

// T is a running case.
type T struct {
	*testing.T
	Hub
}

// need skips the case on a hub that lacks an ability.
func (t *T) need(has bool, ability string) {
	t.Helper()
	if !has {
		t.Skip("this hub lacks what the case needs: " + ability)
	}
}

// shared returns a client that signs with a shared access policy.
func (t *T) shared(policy string) *hub.Client {
	t.Helper()
	t.need(t.Shared[policy] != nil, "the shared access policy "+policy)
	return t.Shared[policy]
}

// ok ends the case at an error.
func (t *T) ok(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// after returns a context for cleaning up, which outlives that of the test.
func (t *T) after() context.Context { return context.WithoutCancel(t.Context()) }

// clean takes something away now and when the case ends. That it is not there
// is fine.
func (t *T) clean(remove func(context.Context) error) {
	t.Helper()
	once := func() {
		if err := remove(t.after()); err != nil && !errors.Is(err, twin.ErrNotFound) {
			t.Errorf("clean up: %v", err)
		}
	}
	once()
	t.Cleanup(once)
}

// newDevice creates a device for the case alone.
func (t *T) newDevice(name string) *hub.Device {
	t.Helper()
	return t.createDevice(hub.Device{ID: t.freeDevice(name)})
}

// freeDevice returns the id of a device that there is not.
func (t *T) freeDevice(name string) string {
	t.Helper()
	id, c := "tr-hubtest-"+name, t.Client.NewRegistryClient()
	t.clean(func(ctx context.Context) error { _, err := c.DeleteDevice(ctx, id, nil); return err })
	return id
}

func (t *T) createDevice(d hub.Device) *hub.Device {
	t.Helper()
	out, err := t.Client.NewRegistryClient().CreateOrUpdateDevice(t.Context(), d, nil)
	t.ok(err)
	return out.Device
}

// newModule creates a module of a device.
func (t *T) newModule(device, id string) *hub.Module {
	t.Helper()
	out, err := t.Client.NewRegistryClient().CreateOrUpdateModule(t.Context(), hub.Module{DeviceID: device, ID: id}, nil)
	t.ok(err)
	return out.Module
}

// ifMatch returns the conditions that demand an ETag.
func ifMatch(etag azcore.ETag) *azcore.MatchConditions {
	return &azcore.MatchConditions{IfMatch: &etag}
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
