package hubtest

import (
	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/twin"
)

// moduleCases are about the identities of modules.
var moduleCases = []*Case{
	{
		Name:  "a module is created, read and listed",
		About: "Modules_CreateOrUpdateIdentity Modules_GetIdentity Modules_GetModulesOnDevice", Evidence: "REC; LIVE",
		Run: func(t *T) {
			d, c := t.newDevice("modules"), t.Client.NewRegistryClient()
			made := t.newModule(d.ID, "m%1")
			got, err := c.GetModule(t.Context(), d.ID, made.ID, nil)
			t.ok(err)
			if got.ETag != made.ETag || got.GenerationID != made.GenerationID || got.DeviceID != d.ID || got.Authentication.Type != "sas" {
				t.Errorf("made %+v\ngot  %+v", made, got.Module)
			}
			n := 0
			for m, err := range c.Modules(t.Context(), d.ID, nil) {
				t.ok(err)
				if n++; m.ID != made.ID || m.ETag != made.ETag {
					t.Errorf("listed %+v", m)
				}
			}
			if n != 1 {
				t.Errorf("%d modules are listed", n)
			}
		},
	},
	{
		Name:  "a module has no ETag header",
		About: "Modules_CreateOrUpdateIdentity", Evidence: "REC: its etag is in the body only",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			got := t.raw("PUT", path("devices", t.newDevice("header").ID, "modules", "m"), nil, `{"deviceId":"tr-hubtest-header","moduleId":"m"}`)
			if got.status != 200 || got.header.Get("ETag") != "" {
				t.Errorf("got %d, ETag %q, %s", got.status, got.header.Get("ETag"), got.body)
			}
		},
	},
	{
		Name:  "a module that exists is not created",
		About: "Modules_CreateOrUpdateIdentity", Evidence: "REC: 409 ModuleAlreadyExistsOnDevice, in the second envelope",
		Run: func(t *T) {
			m := t.newModule(t.newDevice("twice").ID, "m")
			_, err := t.Client.NewRegistryClient().CreateOrUpdateModule(t.Context(), *m, nil)
			t.wantError(err, twin.ErrChanged, "ModuleAlreadyExistsOnDevice")
		},
	},
	{
		Name:  "a module is updated under its etag",
		About: "Modules_CreateOrUpdateIdentity", Evidence: "REC; LIVE: without managedBy it is cleared",
		Run: func(t *T) {
			c := t.Client.NewRegistryClient()
			m := t.newModule(t.newDevice("update").ID, "m")
			old := m.ETag
			m.ManagedBy = "hubtest"
			out, err := c.CreateOrUpdateModule(t.Context(), *m, &hub.RegistryClientWriteOptions{MatchConditions: ifMatch(old)})
			t.ok(err)
			if out.ManagedBy != "hubtest" || out.ETag == old {
				t.Errorf("got %+v", out.Module)
			}
			_, err = c.CreateOrUpdateModule(t.Context(), *m, &hub.RegistryClientWriteOptions{MatchConditions: ifMatch(old)})
			t.wantError(err, twin.ErrChanged, "PreconditionFailed")
			out.ManagedBy = ""
			out, err = c.CreateOrUpdateModule(t.Context(), *out.Module, &hub.RegistryClientWriteOptions{MatchConditions: ifMatch("*")})
			t.ok(err)
			if out.ManagedBy != "" {
				t.Errorf("it is still managed by %s", out.ManagedBy)
			}
		},
	},
	{
		Name:  "a module without authentication gets keys",
		About: "Modules_CreateOrUpdateIdentity", Evidence: "LIVE: none becomes sas",
		Run: func(t *T) {
			d := t.newDevice("none")
			out, err := t.Client.NewRegistryClient().CreateOrUpdateModule(t.Context(), hub.Module{DeviceID: d.ID, ID: "m", Authentication: hub.Authentication{Type: "none"}}, nil)
			t.ok(err)
			if out.Authentication.Type != "sas" || out.Authentication.PrimaryKey.Reveal() == "" {
				t.Errorf("got %s", out.Authentication.Type)
			}
		},
	},
	{
		Name:  "a module of the hub's own is not written",
		About: "Modules_CreateOrUpdateIdentity", Evidence: "LIVE: 400 for ids with a $ before them",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			d := t.newDevice("dollar")
			t.wantRefusal(t.raw("PUT", path("devices", d.ID, "modules", "$edgeAgent"), nil, `{"deviceId":"`+d.ID+`","moduleId":"$edgeAgent"}`), 400, "")
		},
	},
	{
		Name:  "the twin of a module of the hub's own is written",
		About: "Modules_UpdateTwin Modules_GetTwin", Evidence: "LIVE: such ids are valid in the paths of twins",
		Run: func(t *T) {
			ref := twin.Ref{Device: t.newEdge("agent").ID, Module: "$edgeAgent"}
			t.patch(ref, `{"a":1}`, "")
			t.wantTags(t.read(ref), `{"a":1}`)
		},
	},
	{
		Name:  "a module is deleted",
		About: "Modules_DeleteIdentity Modules_GetIdentity", Evidence: "REC; LIVE: 204, and under an old etag 412",
		Run: func(t *T) {
			d, c := t.newDevice("delete"), t.Client.NewRegistryClient()
			m := t.newModule(d.ID, "m")
			_, err := c.DeleteModule(t.Context(), d.ID, m.ID, &hub.RegistryClientWriteOptions{MatchConditions: ifMatch(`"MA=="`)})
			t.wantError(err, twin.ErrChanged, "PreconditionFailed")
			_, err = c.DeleteModule(t.Context(), d.ID, m.ID, &hub.RegistryClientWriteOptions{MatchConditions: ifMatch(m.ETag)})
			t.ok(err)
			_, err = c.GetModule(t.Context(), d.ID, m.ID, nil)
			t.wantError(err, twin.ErrNotFound, "")
		},
	},
	{
		Name:  "no module is read, deleted or listed",
		About: "Modules_GetIdentity Modules_DeleteIdentity Modules_GetModulesOnDevice", Evidence: "LIVE: 404",
		Run: func(t *T) {
			d, c := t.newDevice("none"), t.Client.NewRegistryClient()
			_, err := c.GetModule(t.Context(), d.ID, "none", nil)
			t.wantError(err, twin.ErrNotFound, "ModuleNotFound")
			_, err = c.DeleteModule(t.Context(), d.ID, "none", nil)
			t.wantError(err, twin.ErrNotFound, "ModuleNotFound")
			for _, err := range c.Modules(t.Context(), t.freeDevice("no-device"), nil) {
				t.wantError(err, twin.ErrNotFound, "DeviceNotFound")
			}
		},
	},
	{
		Name:  "modules of a disabled device need Entra",
		About: "Modules_GetModulesOnDevice", Evidence: "LIVE: 401 IotHubUnauthorizedAccess under a shared access signature",
		Run: func(t *T) {
			d := t.newDevice("disabled")
			t.newModule(d.ID, "m")
			d.Status = "disabled"
			t.update(d)
			for _, err := range t.Client.NewRegistryClient().Modules(t.Context(), d.ID, nil) {
				t.ok(err)
			}
			for _, err := range t.shared("iothubowner").NewRegistryClient().Modules(t.Context(), d.ID, nil) {
				t.wantError(err, twin.ErrDenied, "IotHubUnauthorizedAccess")
			}
		},
	},
}
