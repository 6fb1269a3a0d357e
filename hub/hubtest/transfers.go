package hubtest

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/twin"
)

// transferCases are about import and export, of which a hub does one at a time.
var transferCases = []*Case{
	{
		Name:  "an export has every device",
		About: "Jobs_CreateImportExportJob Jobs_GetImportExportJob", Evidence: "REC; LIVE: devices.txt, after a line that is no JSON without keys",
		Run: func(t *T) {
			t.needContainer()
			ref := t.device()
			t.patch(ref, `{"exported":1.0}`, "")
			job := t.transferred(t.Client.NewJobClient().BeginExportDevices(t.Context(), t.Container.URL, nil))
			if job.Status != hub.JobStatusCompleted || job.Progress != 100 || job.Type != "export" || job.End == "" {
				t.Errorf("got %+v", job.Job)
			}
			lines := t.lines("devices.txt")
			if lines[ref] == nil || lines[t.Module] == nil || len(lines) < len(t.Devices) {
				t.Fatalf("%d lines", len(lines))
			}
			tags, _ := lines[ref]["tags"].(twin.Object)
			if key, _ := lines[ref].Lookup("authentication", "symmetricKey", "primaryKey"); tags["exported"] != json.Number("1.0") || key != nil {
				t.Errorf("got %s", twin.Encode(lines[ref]))
			}
		},
	},
	{
		Name:  "an export has keys and configurations when it is wished",
		About: "Jobs_CreateImportExportJob", Evidence: "LIVE; DOC: configurations.txt begins its keys with capitals",
		Run: configured(func(t *T, conf *twin.Configuration) {
			t.needContainer()
			t.transferred(t.Client.NewJobClient().BeginExportDevices(t.Context(), t.Container.URL,
				&hub.JobClientExportOptions{IncludeKeys: true, BlobName: "tr-hubtest/all.txt", IncludeConfigurations: true, ConfigurationsBlobName: "tr-hubtest/configurations.txt"}))
			if key, _ := t.lines("tr-hubtest/all.txt")[twin.Ref{Device: t.Devices[0]}].Lookup("authentication", "symmetricKey", "primaryKey"); key == nil {
				t.Error("there is no key")
			}
			data, err := t.Container.Read(t.Context(), "tr-hubtest/configurations.txt")
			t.ok(err)
			if !strings.Contains(string(data), `"Id":"`+conf.ID+`"`) {
				t.Errorf("got %s", data)
			}
		}),
	},
	{
		Name:  "an import does what its lines say",
		About: "Jobs_CreateImportExportJob Jobs_GetImportExportJob", Evidence: "LIVE; DOC: completed although lines failed, see importErrors.log",
		Run: func(t *T) {
			t.needContainer()
			made, there := twin.Ref{Device: t.freeDevice("imported")}, t.newDevice("there")
			t.ok(t.Container.Write(t.Context(), "tr-hubtest/import.txt", []byte(strings.Join([]string{
				"a line that is no JSON is passed over",
				`{"id":"` + made.Device + `","importMode":"create","status":"disabled","tags":{"a":1.0},"properties":{"desired":{"b":2}}}`,
				`{"id":"` + there.ID + `","importMode":"create","status":"enabled"}`,
				`{"id":"` + there.ID + `","importMode":"updateTwin","status":"enabled","tags":{"c":3}}`,
			}, "\n"))))
			job := t.transferred(t.Client.NewJobClient().BeginImportDevices(t.Context(), t.Container.URL, t.Container.URL, &hub.JobClientImportOptions{BlobName: "tr-hubtest/import.txt"}))
			if job.Status != hub.JobStatusCompleted {
				t.Errorf("got %+v", job.Job)
			}
			tw := t.read(made)
			t.wantTags(tw, `{"a":1.0}`)
			if tw.Status != "disabled" {
				t.Errorf("it is %s", tw.Status)
			}
			t.wantTags(t.read(twin.Ref{Device: there.ID}), `{"c":3}`)
			failures, err := t.Container.Read(t.Context(), "importErrors.log")
			t.ok(err)
			if o := t.object(strings.TrimSpace(string(failures))); o["deviceId"] != there.ID || o["errorCode"] != number(409001) {
				t.Errorf("got %s", failures)
			}
		},
	},
	{
		Name:  "a line without a status is not imported",
		About: "Jobs_CreateImportExportJob", Evidence: "LIVE: every line needs one, to delete too",
		Run: func(t *T) {
			t.needContainer()
			d := t.newDevice("statusless")
			t.ok(t.Container.Write(t.Context(), "tr-hubtest/import.txt", []byte(`{"id":"`+d.ID+`","importMode":"delete"}`)))
			t.transferred(t.Client.NewJobClient().BeginImportDevices(t.Context(), t.Container.URL, t.Container.URL, &hub.JobClientImportOptions{BlobName: "tr-hubtest/import.txt"}))
			t.read(twin.Ref{Device: d.ID})
		},
	},
	{
		Name:  "an export is followed by another process, and listed",
		About: "Jobs_GetImportExportJobs Jobs_GetImportExportJob", Evidence: "REC; LIVE",
		Run: func(t *T) {
			t.needContainer()
			c := t.Client.NewJobClient()
			poller, err := c.BeginExportDevices(t.Context(), t.Container.URL, nil)
			t.ok(err)
			token, err := poller.ResumeToken()
			t.ok(err)
			job := t.transferred(c.BeginExportDevices(t.Context(), "", &hub.JobClientExportOptions{ResumeToken: token}))
			found := false
			for listed, err := range c.Jobs(t.Context()) {
				t.ok(err)
				found = found || listed.ID == job.ID && listed.Status == hub.JobStatusCompleted
			}
			if !found {
				t.Errorf("%s is not listed", job.ID)
			}
		},
	},
	{
		Name:  "an export waits for no other",
		About: "Jobs_CreateImportExportJob", Evidence: "LIVE: 403 JobQuotaExceeded",
		Run: func(t *T) {
			t.needContainer()
			c := t.Client.NewJobClient()
			_, err := c.BeginExportDevices(t.Context(), t.Container.URL, nil)
			t.ok(err)
			_, err = c.BeginExportDevices(t.Context(), t.Container.URL, nil)
			t.wantError(err, nil, "JobQuotaExceeded")
		},
	},
	{
		Name:  "an export that is under way is cancelled",
		About: "Jobs_CancelImportExportJob Jobs_GetImportExportJob", Evidence: "LIVE; SWAG: 200 or 204",
		Run: func(t *T) {
			t.needContainer()
			c := t.Client.NewJobClient()
			poller, err := c.BeginExportDevices(t.Context(), t.Container.URL, nil)
			t.ok(err)
			t.ok(t.cancelTransfers(t.Context()))
			_, err = followed(t, poller)
			if err == nil || !strings.Contains(err.Error(), "cancelled") {
				t.Errorf("got %v", err)
			}
		},
	},
	{
		Name:  "no import or export is read",
		About: "Jobs_GetImportExportJob", Evidence: "LIVE: 404 JobNotFound",
		Run: func(t *T) {
			_, err := t.Client.NewJobClient().GetJob(t.Context(), "00000000-0000-4000-8000-000000000000", nil)
			t.wantError(err, twin.ErrNotFound, "JobNotFound")
		},
	},
	{
		Name:  "no import or export is cancelled",
		About: "Jobs_CancelImportExportJob", Evidence: "LIVE: may be 500",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			if got := t.raw("DELETE", path("jobs", "00000000-0000-4000-8000-000000000000"), nil, ""); got.status < 400 {
				t.Errorf("got %d %s", got.status, got.body)
			}
		},
	},
	{
		Name:  "an export to where the hub may not write is refused at once",
		About: "Jobs_CreateImportExportJob", Evidence: "LIVE: 400 BlobContainerValidationError",
		Run: func(t *T) {
			_, err := t.Client.NewJobClient().BeginExportDevices(t.Context(), "https://trhubtestnone.blob.core.windows.net/none", nil)
			t.wantError(err, nil, "BlobContainerValidationError")
		},
	},
}

// needContainer skips a case without a container, and frees the hub's place for
// a job now and when the case ends.
func (t *T) needContainer() {
	t.Helper()
	t.need(t.Container != nil && t.Pass != nil, "a container, and time that passes")
	t.clean(t.cancelTransfers)
}

// lines reads what was exported, by whom it is about. What is no JSON is passed
// over.
func (t *T) lines(blob string) map[twin.Ref]twin.Object {
	t.Helper()
	data, err := t.Container.Read(t.Context(), blob)
	t.ok(err)
	all := map[twin.Ref]twin.Object{}
	for line := range bytes.Lines(data) {
		if !bytes.HasPrefix(line, []byte("{")) {
			continue
		}
		o := t.object(string(line))
		device, _ := o["id"].(string)
		module, _ := o["moduleId"].(string)
		all[twin.Ref{Device: device, Module: module}] = o
	}
	return all
}

// transferred lets an import or export come to its end.
func (t *T) transferred(poller *runtime.Poller[hub.JobClientJobResponse], err error) hub.JobClientJobResponse {
	t.Helper()
	t.ok(err)
	out, err := followed(t, poller)
	t.ok(err)
	return out
}

// cancelTransfers frees the hub's only place for imports and exports.
func (t *T) cancelTransfers(ctx context.Context) error {
	c := t.Client.NewJobClient()
	for job, err := range c.Jobs(ctx) {
		if err != nil {
			return err
		}
		if !job.Status.Over() {
			if _, err := c.CancelJob(ctx, job.ID, nil); err != nil {
				return err
			}
		}
	}
	return nil
}
