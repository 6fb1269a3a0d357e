package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/blob"
	"github.com/twinrules/twinrules/hub/credential"
	"github.com/twinrules/twinrules/hub/snapshot"
	"github.com/twinrules/twinrules/rules"
)

// exportFlags say where a hub exports to.
type exportFlags struct {
	container, blob, job, identity string
}

func (f *exportFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.container, "container", "", "blob container that the hub exports to, such as https://contoso.blob.core.windows.net/exports")
	flags.StringVar(&f.blob, "blob", "devices.txt", "name of the blob, which is replaced")
	flags.StringVar(&f.job, "job", "", "take what this export job writes, which was begun before, instead of a new one")
	flags.StringVar(&f.identity, "hub-identity", "", "resource id of the user-assigned identity as which the hub goes there (default: its own)")
}

// An export is one that a hub makes for us.
type export struct {
	*exportFlags
	env       *environment
	client    *hub.Client
	jobs      *hub.JobClient
	container *blob.Container
}

func (f *pullFlags) byExport(ctx context.Context, env *environment) (snapshot.Header, error) {
	x, err := f.openExport(env)
	if err != nil {
		return snapshot.Header{}, err
	}
	job, err := x.begin(ctx)
	if err == nil {
		job, err = x.wait(ctx, job)
	}
	if err != nil {
		return snapshot.Header{}, err
	}
	return x.record(ctx, job, f.out)
}

// openExport checks what the flags say, before any request.
func (f *pullFlags) openExport(env *environment) (*export, error) {
	switch {
	case f.source.hub == "":
		return nil, usagef("--via export takes --hub HOST")
	case f.source.usesKey():
		return nil, usagef("--via export reads storage with Microsoft Entra, and a shared access key of a hub opens none: give another --credential")
	case f.export.container == "":
		return nil, usagef("where does the hub export to? give --container URL")
	case strings.Contains(f.export.container, "?"):
		return nil, usagef("--container: leave out what stands behind the question mark: a signature is a secret, which no flag should have, and none is needed: the hub and you sign in")
	}
	config, err := f.source.config()
	if err != nil {
		return nil, err
	}
	who, err := credential.New(config, env.lookup)
	if err != nil {
		return nil, err
	}
	container, err := blob.NewContainer(f.export.container, who, &blob.Options{RootCAs: config.RootCAs})
	if err != nil {
		return nil, usagef("--container: %w", err)
	}
	client, err := f.source.client(env)
	if err != nil {
		return nil, err
	}
	return &export{&f.export, env, client, client.NewJobClient(), container}, nil
}

// begin lets the hub begin a job, or finds the one that was begun before.
func (x *export) begin(ctx context.Context) (*hub.Job, error) {
	if x.job != "" {
		found, err := x.jobs.GetJob(ctx, x.job, nil)
		if err == nil && found.Type != "export" {
			return nil, fmt.Errorf("job %s on %s is no export", x.job, x.client.Host())
		}
		return found.Job, err
	}
	x.foretell(ctx)
	created, err := x.jobs.CreateExport(ctx, x.exportFlags.container, &hub.JobClientExportOptions{BlobName: x.blob, Identity: x.identity})
	if err != nil {
		return nil, x.refused(ctx, err)
	}
	fmt.Fprintf(x.env.stderr, "twinrules: %s runs the job; if this is interrupted, go on with --job %s\n", x.client.Host(), shown(created.ID))
	return created.Job, nil
}

// foretell says what the job is for, and how long it would take without one.
func (x *export) foretell(ctx context.Context) {
	n, known := devicesOn(ctx, x.client)
	if !known {
		return
	}
	otherwise := ""
	if takes := queryTime(x.client, n); takes >= worthTelling {
		otherwise = fmt.Sprintf("; by queries it would be %s at least", takes.Round(time.Second))
	}
	fmt.Fprintf(x.env.stderr, "twinrules: exporting %s to %s; how long a hub takes is not known beforehand%s\n",
		plural(n, "device"), x.exportFlags.container, otherwise)
}

// shown returns what a hub said as it can be shown.
func shown(text string) string { return rules.Excerpt(text, 200) }

// refused explains why the hub does not begin a job.
func (x *export) refused(ctx context.Context, err error) error {
	switch {
	case hub.HasCode(err, hub.CodeBlobContainerValidationError):
		who := "its system-assigned identity"
		if x.identity != "" {
			who = "the identity of --hub-identity, if it has it,"
		}
		return fmt.Errorf("%s may not write to %s: give %s the role Storage Blob Data Contributor on the container, and look at the account's firewall (a new assignment can take minutes)",
			x.client.Host(), x.exportFlags.container, who)
	case hub.HasCode(err, hub.CodeJobQuotaExceeded):
		return x.occupied(ctx, err)
	}
	return err
}

// occupied names the job that has the hub's only slot, and how to take part in it.
func (x *export) occupied(ctx context.Context, refusal error) error {
	for job, err := range x.jobs.Jobs(ctx) {
		if err != nil {
			break
		}
		if job.Status.Over() {
			continue
		}
		line := fmt.Sprintf("%s runs one import or export at a time, and now job %s, an %s that began at %s: wait until it is over",
			x.client.Host(), shown(job.ID), shown(job.Type), shown(job.Start))
		if job.Type == "export" {
			line += ", or take what it writes with --job, if that goes to the same container"
		}
		return errors.New(line)
	}
	return refusal
}

// How long to wait before asking a hub how far a job is: at first, and at most.
const (
	firstLook = time.Second
	lastLook  = 15 * time.Second
)

// wait returns a job that is completed.
func (x *export) wait(ctx context.Context, job *hub.Job) (*hub.Job, error) {
	bar := x.env.startProgress("percent exported", 100)
	defer bar.end()
	for pause := firstLook; !job.Status.Over(); pause = min(pause*3/2, lastLook) {
		bar.set(job.Progress)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		now, err := x.jobs.GetJob(ctx, job.ID, nil)
		if err != nil {
			return nil, err
		}
		job = now.Job
	}
	if job.Status != hub.JobStatusCompleted {
		reason := ""
		if job.FailureReason != "" {
			reason = ": " + shown(job.FailureReason)
		}
		return nil, fmt.Errorf("job %s on %s is %s%s", shown(job.ID), x.client.Host(), shown(string(job.Status)), reason)
	}
	return job, nil
}

// record makes a snapshot of what a job has written, as it comes from storage.
func (x *export) record(ctx context.Context, job *hub.Job, path string) (snapshot.Header, error) {
	ended, err := x.checkAge(ctx, job)
	if err != nil {
		return snapshot.Header{}, err
	}
	text, err := x.container.Open(ctx, x.blob)
	if err != nil {
		return snapshot.Header{}, err
	}
	defer text.Close()
	r, err := snapshot.Create(path, x.client.Host(), ended, wholeFleet)
	if err != nil {
		return snapshot.Header{}, err
	}
	r.Lacks(snapshot.ExportLacks()...)
	err = x.env.recordTwins(r, snapshot.Exported(x.blob, text), 0)
	if err == nil {
		err = x.env.recordConfigurations(r, x.client.Configurations(ctx))
	}
	if err != nil {
		return snapshot.Header{}, errors.Join(err, r.Abort())
	}
	fmt.Fprintf(x.env.stderr, "twinrules: an export does not tell %s: rules that read these see nothing\n", strings.Join(snapshot.ExportLacks(), ", "))
	return r.Finish(true)
}

// skew is how far the clocks of a hub and a storage account may be apart.
const skew = 5 * time.Minute

func stampOf(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// checkAge returns when a job ended, and fails when the blob is not from then: a
// job does not say where it writes, and another may have replaced what it wrote.
func (x *export) checkAge(ctx context.Context, job *hub.Job) (time.Time, error) {
	began, err := time.Parse(time.RFC3339, job.Start)
	if err != nil {
		return began, fmt.Errorf("%s says that job %s began at %q, which is no time", x.client.Host(), shown(job.ID), shown(job.Start))
	}
	ended, err := time.Parse(time.RFC3339, job.End)
	if err != nil {
		return ended, fmt.Errorf("%s says that job %s ended at %q, which is no time", x.client.Host(), shown(job.ID), shown(job.End))
	}
	is, err := x.container.Properties(ctx, x.blob)
	switch {
	case errors.Is(err, blob.ErrNotFound):
		return ended, fmt.Errorf("job %s is completed, but there is no blob %s in %s: did it write to another container, or under another name (--blob)?",
			shown(job.ID), x.blob, x.exportFlags.container)
	case err != nil:
		return ended, err
	case is.Modified.Before(began.Add(-skew)), is.Modified.After(ended.Add(skew)):
		return ended, fmt.Errorf("the blob %s in %s is from %s and job %s ran from %s to %s: one of them belongs to another export",
			x.blob, x.exportFlags.container, stampOf(is.Modified), shown(job.ID), stampOf(began), stampOf(ended))
	}
	return ended, nil
}
