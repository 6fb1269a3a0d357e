package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/credential"
)

// A purpose is something that people sign in for, with the permissions it takes.
type purpose struct {
	name    string
	doc     string
	actions []string // below Microsoft.Devices/IotHubs/
}

// purposes lists them, the commonest first.
var purposes = []purpose{
	{"plan", "plan, diff, explain, snapshot pull", []string{"twins/read"}},
	{"apply", "apply, run, serve", []string{"twins/read", "twins/write"}},
	{"configurations", "packs whose rules have configuration:", []string{"configurations/read", "configurations/write", "configurations/delete"}},
	{"export", "snapshot pull --via export", []string{"twins/read", "jobs/read", "jobs/write"}},
}

func newAuth(env *environment) *cobra.Command {
	cmd := &cobra.Command{Use: "auth", Short: "Find out who signs in, and what they may do"}
	cmd.AddCommand(newAuthCheck(env))
	return cmd
}

func newAuthCheck(env *environment) *cobra.Command {
	var (
		signIn signInFlags
		format string
		wanted []string
	)
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Show the identity, its token, which permissions are held, and how to get the missing ones",
		Long: `check signs in and asks the hub, permission by permission, whether the identity may do it. It changes
nothing: it reads, and asks for changes that cannot be made, of documents that do not exist.

Kinds of credentials:
` + credentialTable() + `
Settings that do not change can stand in a file, twinrules.yaml in the current folder or the one
that --config names; flags and TWINRULES_ variables go over it, and a profile over the rest of it:

  apiVersion: twinrules/v1
  kind: Config
  hub:
    host: contoso.azure-devices.net
    auth: {credential: workload-identity}
  profiles:
    laptop: {hub: {auth: {credential: azure-cli}}}

It exits with 1 when a permission is missing that --for takes.`,
		Example: "  twinrules auth check --hub contoso.azure-devices.net --for apply",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return env.authCheck(cmd.Context(), &signIn, format, wanted)
		},
	}
	signIn.add(cmd, true)
	cmd.Flags().StringVarP(&format, "output", "o", "text", "format of the result: text, json")
	cmd.Flags().StringSliceVar(&wanted, "for", []string{"plan"}, "what the permissions are for: "+purposeNames())
	return cmd
}

func purposeNames() string {
	names := make([]string, len(purposes))
	for i, p := range purposes {
		names[i] = p.name
	}
	return strings.Join(names, ", ")
}

// credentialTable lists the kinds of credentials for help.
func credentialTable() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, k := range credential.Kinds {
		fmt.Fprintf(w, "  %s\t%s\n", k.Name, k.Doc)
	}
	_ = w.Flush() // into memory
	return b.String()
}

// An authReport is what auth check has found out.
type authReport struct {
	Hub         string               `json:"hub"`
	Credential  []string             `json:"credential"`
	Origins     map[string]string    `json:"origins"` // where that was set
	Identity    *credential.Identity `json:"identity,omitempty"`
	Permissions []permissionReport   `json:"permissions"`
	Missing     []string             `json:"missing"` // of what --for takes
	Grant       string               `json:"grant,omitempty"`

	now time.Time
}

type permissionReport struct {
	Action string   `json:"action"`
	Held   string   `json:"held"` // yes, no, unknown
	For    []string `json:"for,omitempty"`
	Why    string   `json:"why,omitempty"`
	role   string
}

func (env *environment) authCheck(ctx context.Context, signIn *signInFlags, format string, wanted []string) error {
	if format != "text" && format != "json" {
		return usagef("--output: %q is none of text, json", format)
	}
	needed, err := neededFor(wanted)
	if err != nil {
		return err
	}
	if signIn.hub == "" && !signIn.usesKey() {
		return usagef("which hub? give --hub HOST, or name it in twinrules.yaml")
	}
	report, err := env.authReport(ctx, signIn)
	if err != nil {
		return err
	}
	report.judge(needed)
	if err := report.write(env.stdout, format); err != nil {
		return err
	}
	if len(report.Missing) > 0 {
		return quiet(exitFailed)
	}
	return nil
}

// neededFor returns the actions that the named purposes take.
func neededFor(names []string) (actions []string, _ error) {
	for _, name := range names {
		i := slices.IndexFunc(purposes, func(p purpose) bool { return p.name == name })
		if i < 0 {
			return nil, usagef("--for: %q is none of %s", name, purposeNames())
		}
		actions = append(actions, purposes[i].actions...)
	}
	return actions, nil
}

// authReport signs in and asks.
func (env *environment) authReport(ctx context.Context, signIn *signInFlags) (*authReport, error) {
	client, err := signIn.client(env)
	if err != nil {
		return nil, err
	}
	r := &authReport{Hub: client.Host(), Credential: signIn.credential.Kinds, Origins: map[string]string{}, now: env.now()}
	if len(r.Credential) == 0 {
		r.Credential = []string{credential.Default.Name}
	}
	for _, flag := range []string{"hub", "credential"} {
		r.Origins[flag] = cmp.Or(env.origins[flag], "the default")
	}
	if r.Identity, err = signIn.identity(ctx, env); err != nil {
		return nil, err
	}
	list, err := client.Permissions(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		r.Permissions = append(r.Permissions, reportPermission(p))
	}
	return r, nil
}

func reportPermission(p hub.Permission) permissionReport {
	out := permissionReport{Action: p.Action, Held: "no", role: p.Role}
	switch {
	case p.Err != nil:
		out.Held, out.Why = "unknown", explain(p.Err)
	case p.Held:
		out.Held = "yes"
	}
	for _, use := range purposes {
		if slices.Contains(use.actions, short(p.Action)) {
			out.For = append(out.For, use.name)
		}
	}
	return out
}

// short returns an action without what all have in common.
func short(action string) string { return strings.ReplaceAll(action, "Microsoft.Devices/IotHubs/", "") }

// judge finds out what is missing of needed, and how to grant it.
func (r *authReport) judge(needed []string) {
	role := ""
	r.Missing = []string{}
	for _, p := range r.Permissions {
		if p.Held == "no" && slices.Contains(needed, short(p.Action)) {
			r.Missing = append(r.Missing, short(p.Action))
			role = wider(role, p.role)
		}
	}
	if len(r.Missing) > 0 && r.Identity != nil {
		r.Grant = r.grant(role)
	}
}

// wider returns the role that grants what both do: of the built-in ones only the
// widest grants more than one other does.
func wider(a, b string) string {
	if a == "" || a == b {
		return b
	}
	return "IoT Hub Data Contributor"
}

// grant returns the command that assigns role to the identity. The hub's
// resource id is not to be had from the hub, so az looks it up.
func (r *authReport) grant(role string) string {
	kind := "ServicePrincipal"
	if r.Identity.Name != "" {
		kind = "User"
	}
	name, domain, _ := strings.Cut(r.Hub, ".")
	if !strings.HasPrefix(domain, "azure-devices.") {
		name = "HUB"
	}
	return fmt.Sprintf("az role assignment create --role %q --assignee-object-id %s --assignee-principal-type %s \\\n"+
		"    --scope \"$(az iot hub show --name %s --query id --output tsv)\"", role, r.Identity.Object, kind, name)
}

func (r *authReport) write(w io.Writer, format string) error {
	if format == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(r)
	}
	_, err := io.WriteString(w, r.text())
	return err
}

func (r *authReport) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "hub         %s (%s)\ncredential  %s (%s)\n", r.Hub, r.Origins["hub"], strings.Join(r.Credential, ", "), r.Origins["credential"])
	if i := r.Identity; i != nil {
		fmt.Fprintf(&b, "identity    %s, object %s, tenant %s\ntoken       for %s, good until %s (%s)\n", who(i), i.Object, i.Tenant,
			i.Audience, i.Expires.Format(time.RFC3339), i.Expires.Sub(r.now).Round(time.Minute))
	} else {
		b.WriteString("identity    a shared access key, which does not say whose\n")
	}
	b.WriteString("\n")
	r.table(&b)
	if len(r.Missing) > 0 {
		fmt.Fprintf(&b, "\nmissing: %s\n", strings.Join(r.Missing, ", "))
	}
	if r.Grant != "" {
		b.WriteString("grant it, and allow some minutes until it counts:\n  " + r.Grant + "\n")
	}
	return b.String()
}

// who names the bearer of a token: a person, or else an application.
func who(i *credential.Identity) string {
	if i.Name != "" {
		return i.Name
	}
	return "application " + i.Application
}

func (r *authReport) table(b *strings.Builder) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "permission\theld\tfor")
	for _, p := range r.Permissions {
		line := short(p.Action) + "\t" + p.Held + "\t" + strings.Join(p.For, ", ")
		if p.Why != "" {
			line += " (" + p.Why + ")"
		}
		fmt.Fprintln(w, strings.TrimRight(line, "\t "))
	}
	_ = w.Flush() // into memory
}
