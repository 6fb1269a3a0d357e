package hubtest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/twinrules/twinrules/hub/twin"
)

// race runs write n times at once and returns the errors.
func race(n int, write func(i int) error) []error {
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { errs[i] = write(i) })
	}
	group.Wait()
	return errs
}

// guardCases are about writes that depend on an etag.
var guardCases = []*Case{
	{
		Name:  "a current etag lets the write through",
		About: "Devices_UpdateTwin", Evidence: "REC",
		Run: func(t *T) {
			ref := t.device()
			if _, err := t.Client.PatchTwin(t.Context(), ref, twin.Patch{Tags: t.object(`{"a":1}`)}, t.read(ref).ETag); err != nil {
				t.Error(err)
			}
		},
	},
	{
		Name:  "an old etag stops the write",
		About: "Devices_UpdateTwin", Evidence: "REC: 412 PreconditionFailed",
		Run: func(t *T) {
			ref := t.device()
			old := t.read(ref).ETag
			t.patch(ref, `{"a":1}`, "")
			_, err := t.Client.PatchTwin(t.Context(), ref, twin.Patch{Tags: t.object(`{"a":2}`)}, old)
			t.wantError(err, twin.ErrChanged, "PreconditionFailed")
			t.wantTags(t.read(ref), `{"a":1}`)
		},
	},
	{
		Name:  "an old etag stops a write to a module",
		About: "Modules_UpdateTwin", Evidence: "REC",
		Run: func(t *T) {
			old := t.patch(t.Module, `{"a":1}`, "").ETag
			t.patch(t.Module, `{"a":2}`, "")
			_, err := t.Client.PatchTwin(t.Context(), t.Module, twin.Patch{Tags: t.object(`{"a":3}`)}, old)
			t.wantError(err, twin.ErrChanged, "PreconditionFailed")
		},
	},
	{
		Name:  "of writers with one etag one wins",
		About: "Devices_UpdateTwin", Evidence: "INF: from what an etag is for",
		Run: func(t *T) {
			ref := t.device()
			etag := t.read(ref).ETag
			won := 0
			for _, err := range race(8, func(i int) error {
				_, err := t.Client.PatchTwin(t.Context(), ref, twin.Patch{Tags: twin.Object{"writer": fmt.Sprint(i)}}, etag)
				return err
			}) {
				switch {
				case err == nil:
					won++
				case !errors.Is(err, twin.ErrChanged):
					t.Error(err)
				}
			}
			if won != 1 {
				t.Errorf("%d writers won", won)
			}
		},
	},
	{
		Name:  "writers of any etag all win",
		About: "Devices_UpdateTwin", Evidence: "LIVE: 30 at once",
		Run: func(t *T) {
			ref := t.device()
			before := t.read(ref)
			for _, err := range race(8, func(i int) error {
				_, err := t.Client.PatchTwin(t.Context(), ref, twin.Patch{Tags: twin.Object{fmt.Sprint("w", i): true}}, "*")
				return err
			}) {
				if err != nil {
					t.Error(err)
				}
			}
			if after := t.read(ref); len(after.Tags()) != 8 || after.Version != before.Version+8 {
				t.Errorf("got %d tags and version +%d", len(after.Tags()), after.Version-before.Version)
			}
		},
	},
}
