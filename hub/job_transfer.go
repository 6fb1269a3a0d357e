package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Job is an import or export of the registry as it is now.
type Job struct {
	ID            string    `json:"jobId"`
	Type          string    `json:"type"` // "import" or "export"
	Status        JobStatus `json:"status"`
	Progress      int       `json:"progress"`     // in percent
	Start         string    `json:"startTimeUtc"` // times as the hub spells them
	End           string    `json:"endTimeUtc"`
	FailureReason string    `json:"failureReason"`
	// Where it reads and writes, without the signature that may have been part of
	// it. Newer hubs do not say.
	InputContainer  string `json:"inputBlobContainerUri"`
	OutputContainer string `json:"outputBlobContainerUri"`
}

type (
	// JobClientExportOptions holds the optional settings of BeginExportDevices.
	JobClientExportOptions struct {
		IncludeKeys bool   // puts the devices' keys into the file; leave it
		BlobName    string // "" means devices.txt
		// IncludeConfigurations writes them to ConfigurationsBlobName, "" meaning
		// configurations.txt.
		IncludeConfigurations  bool
		ConfigurationsBlobName string
		Identity               string // resource id of the hub's user-assigned identity; "" means the system's
		ResumeToken            string // of an earlier poller; no job is created then
	}
	// JobClientImportOptions holds those of BeginImportDevices.
	JobClientImportOptions struct {
		BlobName               string // "" means devices.txt
		IncludeConfigurations  bool
		ConfigurationsBlobName string
		Identity               string
		ResumeToken            string
	}
	// JobClientGetJobOptions holds those of GetJob. There are none yet.
	JobClientGetJobOptions struct{}
	// JobClientListJobsOptions holds those of NewListJobsPager. There are none yet.
	JobClientListJobsOptions struct{}
	// JobClientCancelJobOptions holds those of CancelJob. There are none yet.
	JobClientCancelJobOptions struct{}

	// JobClientJobResponse holds an import or export as it is now.
	JobClientJobResponse struct{ *Job }
	// JobClientListJobsResponse is a page of imports and exports; there is one.
	JobClientListJobsResponse struct{ Jobs []*Job }
	// JobClientCancelJobResponse holds nothing.
	JobClientCancelJobResponse struct{}
)

// BeginExportDevices creates a job that writes all devices with their twins to a
// blob of container. The hub writes it as itself, for which it needs the role
// Storage Blob Data Contributor there, unless the URL has a signature. A hub does
// one import or export at a time and refuses more with [CodeJobQuotaExceeded].
func (c *JobClient) BeginExportDevices(ctx context.Context, container string, o *JobClientExportOptions) (*runtime.Poller[JobClientJobResponse], error) {
	if o == nil {
		o = &JobClientExportOptions{}
	}
	return c.begin(ctx, exportOf(container, o), []string{container}, o.ResumeToken)
}

// CreateExport creates the job of [JobClient.BeginExportDevices] and leaves it to
// the caller to follow it by its id with [JobClient.GetJob], for which no token of
// a poller has to be kept.
func (c *JobClient) CreateExport(ctx context.Context, container string, o *JobClientExportOptions) (JobClientJobResponse, error) {
	if o == nil {
		o = &JobClientExportOptions{}
	}
	return c.create(ctx, exportOf(container, o), []string{container})
}

func exportOf(container string, o *JobClientExportOptions) twin.Object {
	job := transfer("export", container, o.Identity)
	job["outputBlobContainerUri"] = container
	job["excludeKeysInExport"] = !o.IncludeKeys
	set(job, "outputBlobName", o.BlobName)
	includeConfigurations(job, o.IncludeConfigurations, o.ConfigurationsBlobName)
	return job
}

// BeginImportDevices creates a job that does what the lines of a blob in the
// container input say, and writes what failed into the container output. The job
// is completed even if lines failed. See [JobClient.BeginExportDevices].
func (c *JobClient) BeginImportDevices(ctx context.Context, input, output string, o *JobClientImportOptions) (*runtime.Poller[JobClientJobResponse], error) {
	if o == nil {
		o = &JobClientImportOptions{}
	}
	job := transfer("import", input, o.Identity)
	job["inputBlobContainerUri"], job["outputBlobContainerUri"] = input, output
	job["excludeKeysInExport"] = true
	set(job, "inputBlobName", o.BlobName)
	includeConfigurations(job, o.IncludeConfigurations, o.ConfigurationsBlobName)
	return c.begin(ctx, job, []string{input, output}, o.ResumeToken)
}

// transfer returns the body of a job. The hub wants to be told whether the URL
// signs for itself.
func transfer(kind, container, identity string) twin.Object {
	o := twin.Object{"type": kind, "storageAuthenticationType": "identityBased"}
	if u, err := url.Parse(container); err == nil && u.Query().Has("sig") {
		o["storageAuthenticationType"] = "keyBased"
	}
	if identity != "" {
		o["identity"] = twin.Object{"userAssignedIdentity": identity}
	}
	return o
}

func includeConfigurations(job twin.Object, include bool, blob string) {
	if include {
		job["includeConfigurations"] = true
		set(job, "configurationsBlobName", blob)
	}
}

func (c *JobClient) begin(ctx context.Context, job twin.Object, containers []string, token string) (*runtime.Poller[JobClientJobResponse], error) {
	p := &jobPoller[JobClientJobResponse]{get: c.transfer, look: transferState}
	if token != "" {
		poller, err := p.resume(c.client, token)
		if err != nil {
			return nil, c.client.failure(creation(job), fmt.Errorf("resume token: %w", err))
		}
		return poller, nil
	}
	out, err := c.create(ctx, job, containers)
	if err != nil {
		return nil, err
	}
	p.JobID, p.State = out.ID, out.Status
	return p.pollerOf(c.client)
}

// create creates a job whose containers are URLs.
func (c *JobClient) create(ctx context.Context, job twin.Object, containers []string) (out JobClientJobResponse, err error) {
	r := creation(job)
	for _, container := range containers {
		if u, err := url.Parse(container); err != nil || u.Scheme != "https" || u.Host == "" {
			return out, c.client.failure(r, errors.New("the container is not the URL of one, such as https://account.blob.core.windows.net/fleet"))
		}
	}
	return c.one(ctx, r)
}

func creation(job twin.Object) request {
	return request{op: createTransfer, method: http.MethodPost, path: []string{"jobs", "create"}, body: twin.Encode(job)}
}

// transferState returns how far a job is, and its error if it failed.
func transferState(r JobClientJobResponse) (JobStatus, error) {
	if !r.Status.Over() {
		return r.Status, nil
	}
	return r.Status, jobFailure(r.ID, r.Status, r.FailureReason)
}

// GetJob reads an import or export.
func (c *JobClient) GetJob(ctx context.Context, jobID string, _ *JobClientGetJobOptions) (JobClientJobResponse, error) {
	return c.transfer(ctx, jobID)
}

func (c *JobClient) transfer(ctx context.Context, id string) (out JobClientJobResponse, err error) {
	r := request{op: getTransfer, method: http.MethodGet, path: []string{"jobs", id}}
	if err := checkTransferID(id); err != nil {
		return out, c.client.failure(r, err)
	}
	if out, err = c.one(ctx, r); err == nil && out.ID != id {
		return JobClientJobResponse{}, c.client.bad(r, fmt.Errorf("it is about job %s", clean(out.ID)))
	}
	return out, err
}

// NewListJobsPager returns the imports and exports of the last 30 days in one
// page.
func (c *JobClient) NewListJobsPager(*JobClientListJobsOptions) *runtime.Pager[JobClientListJobsResponse] {
	return onePage(c.client, func(ctx context.Context) (out JobClientListJobsResponse, err error) {
		out.Jobs, err = list(ctx, c.client, request{op: listTransfers, method: http.MethodGet, path: []string{"jobs"}}, parseJob)
		return out, err
	})
}

// Jobs returns the jobs of [JobClient.NewListJobsPager] one by one. It ends after
// the first error.
func (c *JobClient) Jobs(ctx context.Context) iter.Seq2[*Job, error] {
	return rows(ctx, c.NewListJobsPager(nil), func(p JobClientListJobsResponse) []*Job { return p.Jobs })
}

// CancelJob cancels an import or export. What it has done by then stays. The hub
// was seen to answer 500 for jobs that it does not know.
func (c *JobClient) CancelJob(ctx context.Context, jobID string, _ *JobClientCancelJobOptions) (out JobClientCancelJobResponse, err error) {
	r := request{op: cancelTransfer, method: http.MethodDelete, path: []string{"jobs", jobID}}
	if err := checkTransferID(jobID); err != nil {
		return out, c.client.failure(r, err)
	}
	_, err = c.client.do(ctx, r)
	return out, err
}

// one sends a request about one import or export, which is also the answer.
func (c *JobClient) one(ctx context.Context, r request) (out JobClientJobResponse, err error) {
	a, err := c.client.do(ctx, r)
	if err != nil {
		return out, err
	}
	if err = a.checkJSON(); err == nil {
		out.Job, err = parseJob(a.body)
	}
	if err != nil {
		return JobClientJobResponse{}, c.client.bad(r, err)
	}
	return out, nil
}

func parseJob(data []byte) (*Job, error) {
	j := &Job{}
	if err := json.Unmarshal(data, j); err != nil {
		return nil, fmt.Errorf("read job: %w", err)
	}
	if j.ID == "" || j.Status == "" {
		return nil, errors.New("read job: it has no id or no status")
	}
	j.Status = JobStatus(strings.ToLower(string(j.Status)))
	j.InputContainer, j.OutputContainer = unsigned(j.InputContainer), unsigned(j.OutputContainer)
	return j, nil
}

// unsigned returns a URL without what may be a signature: it opens the container.
func unsigned(u string) string {
	u, _, _ = strings.Cut(u, "?")
	return u
}

// checkTransferID refuses ids whose path would be another operation's.
func checkTransferID(id string) error {
	if id == "" || id == "v2" || id == "create" || strings.Contains(id, "/") {
		return fmt.Errorf("%q is not the id of an import or export", id)
	}
	return nil
}
