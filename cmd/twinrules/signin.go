package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/credential"
)

// signInFlags say which hub is meant and who signs in there.
type signInFlags struct {
	hub        string
	credential credential.Config
	audience   string
	caFile     string
	tier       string
	units      int
}

// add declares them. The rarer ones are hidden unless all is set.
func (f *signInFlags) add(cmd *cobra.Command, all bool) {
	flags, c := cmd.Flags(), &f.credential
	flags.StringVar(&f.hub, "hub", "", "read the hub of this host name, such as contoso.azure-devices.net")
	flags.StringSliceVar(&c.Kinds, "credential", nil, "who signs in at the hub: "+credentialNames()+"; several are tried in order")
	flags.StringVar(&c.TenantID, "tenant-id", "", "Entra tenant (default $AZURE_TENANT_ID)")
	flags.StringVar(&c.ClientID, "client-id", "", "Entra application (default $AZURE_CLIENT_ID)")
	flags.String("config", "", "file with settings (default twinrules.yaml, if there is one)")
	flags.String("profile", "", "profile of that file to use")

	flags.StringVar(&c.SecretEnv, "client-secret-env", "", "variable that holds the client secret (default AZURE_CLIENT_SECRET)")
	flags.StringVar(&c.SecretFile, "client-secret-file", "", "file that holds the client secret")
	flags.StringVar(&c.CertificateFile, "certificate-file", "", "PEM or PFX file with certificate and key (default $AZURE_CLIENT_CERTIFICATE_PATH)")
	flags.StringVar(&c.CertificatePasswordEnv, "certificate-password-env", "", "variable that holds its password (default AZURE_CLIENT_CERTIFICATE_PASSWORD)")
	flags.BoolVar(&c.SendCertificateChain, "send-certificate-chain", false, "show the whole chain, for subject name and issuer authentication")
	flags.StringVar(&c.TokenFile, "token-file", "", "file with a federated token (default $AZURE_FEDERATED_TOKEN_FILE)")
	flags.StringVar(&c.ManagedIdentity, "managed-identity", "", "client or resource id of a managed identity, or system (default system)")
	flags.StringVar(&c.ServiceConnectionID, "service-connection-id", "", "of Azure Pipelines (default $AZURESUBSCRIPTION_SERVICE_CONNECTION_ID)")
	flags.StringVar(&c.Subscription, "subscription", "", "that az signs in for (default its current one)")
	flags.StringVar(&c.ConnectionStringEnv, "connection-string-env", "", "variable that holds a connection string (default IOTHUB_CONNECTION_STRING)")
	flags.StringVar(&c.ConnectionStringFile, "connection-string-file", "", "file that holds a connection string")
	flags.BoolVar(&c.Strict, "strict-auth", false, "refuse the default credential unless AZURE_TOKEN_CREDENTIALS pins it")
	flags.StringVar(&c.Cloud, "cloud", "", "public, usgov or china (default: by the hub's name)")
	flags.StringVar(&c.Authority, "authority", "", "URL to sign in at (default $AZURE_AUTHORITY_HOST, else the cloud's)")
	flags.StringVar(&f.audience, "audience", "", "resource to ask tokens for (default "+hub.Audience+")")
	flags.StringVar(&f.caFile, "ca-file", "", "PEM file of certificates that may vouch for hub and authority besides the system's")
	flags.StringVar(&f.tier, "tier", "", "edition of the hub: F1, S1, S2 or S3 (default: found out, starting slowly)")
	flags.IntVar(&f.units, "units", 1, "units of the hub, with --tier")
	for _, name := range rarely {
		flags.Lookup(name).Hidden = !all
	}
}

// rarely lists the flags that only auth check shows in its help.
var rarely = []string{
	"client-secret-env", "client-secret-file", "certificate-file", "certificate-password-env", "send-certificate-chain",
	"token-file", "managed-identity", "service-connection-id", "subscription", "connection-string-env",
	"connection-string-file", "strict-auth", "cloud", "authority", "audience", "ca-file", "tier", "units",
}

func credentialNames() string {
	names := ""
	for i, k := range credential.Kinds {
		if i > 0 {
			names += ", "
		}
		names += k.Name
	}
	return names
}

// config returns what says who signs in.
func (f *signInFlags) config() (credential.Config, error) {
	c := f.credential
	roots, err := f.roots()
	c.Host, c.RootCAs = f.hub, roots
	return c, err
}

// identity returns who signs in, as the token says; nil when a key does.
func (f *signInFlags) identity(ctx context.Context, env *environment) (*credential.Identity, error) {
	if f.usesKey() {
		return nil, nil
	}
	c, err := f.config()
	if err != nil {
		return nil, err
	}
	cred, err := credential.New(c, env.lookup)
	if err != nil {
		return nil, err
	}
	return credential.WhoIs(ctx, cred, strings.TrimSuffix(cmp.Or(f.audience, hub.Audience), "/.default"))
}

// client returns one of the hub, signed in as the flags say. It makes no
// request.
func (f *signInFlags) client(env *environment) (*hub.Client, error) {
	c, err := f.config()
	if err != nil {
		return nil, err
	}
	pacer, err := hub.NewPacer(&hub.PacerOptions{Tier: hub.Tier(f.tier), Units: f.units, Paused: func(c *hub.Class, pause time.Duration) {
		env.note(fmt.Sprintf("the hub has too many %s, and is left alone for %s: add units, or let fewer clients use it at once", c.Name, pause.Round(time.Second)))
	}})
	if err != nil {
		return nil, usagef("--tier: %w", err)
	}
	opts := &hub.ClientOptions{Audience: f.audience, RootCAs: c.RootCAs, Pacer: pacer}
	secret, asked, err := credential.SharedAccess(c, env.lookup)
	if err != nil {
		return nil, err
	}
	if asked {
		return f.sharedAccess(env, secret, opts)
	}
	cred, err := credential.New(c, env.lookup)
	if err != nil {
		return nil, err
	}
	f.advise(env)
	client, err := hub.NewClient(f.hub, cred, opts)
	if err != nil {
		return nil, usage(err)
	}
	return client, nil
}

// advise tells who runs unattended with the default credential to name one:
// what it finds changes with the machine.
func (f *signInFlags) advise(env *environment) {
	_, pinned := env.lookup("AZURE_TOKEN_CREDENTIALS")
	if len(f.credential.Kinds) > 0 || pinned || env.stdinTerminal {
		return
	}
	fmt.Fprintln(env.stderr, "twinrules: signing in with whatever this machine offers; name one in "+
		"twinrules.yaml (hub.auth.credential) or with --credential, and see twinrules auth check")
}

// roots returns the system's certificate authorities and those of --ca-file,
// nil for the system's alone.
func (f *signInFlags) roots() (*x509.CertPool, error) { return rootsOf("--ca-file", f.caFile) }

// rootsOf returns the system's certificate authorities and those of the file that
// a flag names, nil for the system's alone.
func rootsOf(flag, file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", flag, err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("read the system's certificates: %w", err)
	}
	if !pool.AppendCertsFromPEM(data) {
		return nil, usage(errors.New(flag + ": no certificate in " + file))
	}
	return pool, nil
}

// sharedAccess returns a client that signs with a shared access key, for hubs
// where Entra is not set up.
func (f *signInFlags) sharedAccess(env *environment, secret credential.Secret, opts *hub.ClientOptions) (*hub.Client, error) {
	text := secret.Reveal()
	if f.hub != "" {
		text = withHost(text, f.hub)
	}
	client, err := hub.NewClientFromConnectionString(text, opts)
	if err != nil {
		return nil, usage(err)
	}
	fmt.Fprintf(env.stderr, "twinrules: a shared access key opens all of %s and does not say who used it; better give the role %q to an identity, "+
		"see twinrules auth check\n", client.Host(), "IoT Hub Twin Contributor")
	return client, nil
}

// withHost returns a connection string for another address of the hub.
func withHost(text, host string) string {
	fields := strings.Split(text, ";")
	for i, field := range fields {
		if name, _, _ := strings.Cut(field, "="); strings.EqualFold(strings.TrimSpace(name), "HostName") {
			fields[i] = "HostName=" + host
		}
	}
	return strings.Join(fields, ";")
}

// usesKey reports whether the flags ask for a connection string, which says by
// itself which hub is meant.
func (f *signInFlags) usesKey() bool {
	return len(f.credential.Kinds) == 1 && strings.EqualFold(f.credential.Kinds[0], credential.ConnectionString.Name)
}
