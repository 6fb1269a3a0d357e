package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/twinrules/twinrules/rules"
)

// A configKey is a setting of the configuration file: another way to give a flag.
type configKey struct {
	key, flag string
	// trusted settings say whom secrets are shown to, and what plugins may. The file of the current
	// folder, which whoever opens a pull request can write, may not have them.
	trusted bool
}

// configKeys lists them all.
var configKeys = []configKey{
	{key: "hub.host", flag: "hub"},
	{key: "hub.tier", flag: "tier"},
	{key: "hub.units", flag: "units"},
	{key: "hub.cloud", flag: "cloud"},
	{key: "hub.authority", flag: "authority", trusted: true},
	{key: "hub.audience", flag: "audience", trusted: true},
	{key: "hub.caFile", flag: "ca-file", trusted: true},
	{key: "hub.auth.credential", flag: "credential"},
	{key: "hub.auth.tenantID", flag: "tenant-id"},
	{key: "hub.auth.clientID", flag: "client-id"},
	{key: "hub.auth.clientSecretEnv", flag: "client-secret-env"},
	{key: "hub.auth.clientSecretFile", flag: "client-secret-file"},
	{key: "hub.auth.certificateFile", flag: "certificate-file"},
	{key: "hub.auth.certificatePasswordEnv", flag: "certificate-password-env"},
	{key: "hub.auth.sendCertificateChain", flag: "send-certificate-chain"},
	{key: "hub.auth.tokenFile", flag: "token-file"},
	{key: "hub.auth.managedIdentity", flag: "managed-identity"},
	{key: "hub.auth.serviceConnectionID", flag: "service-connection-id"},
	{key: "hub.auth.subscription", flag: "subscription"},
	{key: "hub.auth.connectionStringEnv", flag: "connection-string-env"},
	{key: "hub.auth.connectionStringFile", flag: "connection-string-file"},
	{key: "hub.auth.strict", flag: "strict-auth"},
	{key: "state", flag: "state"},
	{key: "plugins.fuel", flag: fuelFlag, trusted: true},
	{key: "plugins.memory", flag: memoryFlag, trusted: true},
	{key: "plugins.budget", flag: budgetFlag, trusted: true},
	{key: "plugins.isolation", flag: isolationFlag, trusted: true},
}

// secretKeys are what people write that must not stand in a file.
var secretKeys = map[string]string{
	"hub.auth.clientSecret":        "clientSecretEnv names the variable that holds it, clientSecretFile a file",
	"hub.auth.certificatePassword": "certificatePasswordEnv names the variable that holds it",
	"hub.auth.connectionString":    "connectionStringEnv names the variable that holds it, connectionStringFile a file",
}

// settings sets the flags that the command line leaves out: from variables,
// then from the configuration file. A flag that excludes another which has been
// set by something stronger is left alone.
func (e *environment) settings(cmd *cobra.Command) error {
	flags := cmd.Flags()
	e.origins = map[string]string{}
	flags.Visit(func(f *pflag.Flag) { e.origins[f.Name] = "the command line" })
	if err := e.fillFlags(flags); err != nil {
		return err
	}
	values, trusted, err := e.readConfig(flags)
	if err != nil {
		return err
	}
	return e.fillFromFile(flags, values, trusted)
}

// fillFlags sets flags from variables.
func (e *environment) fillFlags(flags *pflag.FlagSet) (err error) {
	excluded := rivals(flags)
	flags.VisitAll(func(f *pflag.Flag) {
		name := "TWINRULES_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		v, ok := e.lookup(name)
		if !ok || v == "" || f.Changed || excluded[f.Name] || err != nil || f.Name == "help" {
			return
		}
		if setErr := flags.Set(f.Name, v); setErr != nil {
			err = usagef("%s: %w", name, setErr)
		}
		e.origins[f.Name] = name
	})
	return err
}

// rivals returns the flags that exclude one which is set.
func rivals(flags *pflag.FlagSet) map[string]bool {
	out := map[string]bool{}
	flags.Visit(func(f *pflag.Flag) {
		for _, group := range f.Annotations["cobra_annotation_mutually_exclusive"] {
			for _, name := range strings.Fields(group) {
				out[name] = name != f.Name
			}
		}
	})
	return out
}

// readConfig reads the file that --config names, or else the one in the current
// folder if there is one, and says whether the operator chose it.
func (e *environment) readConfig(flags *pflag.FlagSet) (_ []*rules.ConfigValue, trusted bool, _ error) {
	if flags.Lookup("profile") == nil { // a command that reads no hub
		return nil, false, nil
	}
	name, _ := flags.GetString("config")
	profile, _ := flags.GetString("profile")
	trusted = name != ""
	if !trusted {
		name = rules.ConfigFile
	}
	data, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !trusted && profile == "":
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("read the configuration: %w", err)
	}
	c, err := rules.ReadConfig(name, data, knownKeys())
	if err != nil {
		return nil, false, err
	}
	if profile == "" {
		return c.Values, trusted, nil
	}
	over, ok := c.Profiles[profile]
	if !ok {
		return nil, false, usagef("--profile: %s has no profile %q", name, profile)
	}
	return append(slices.Clone(over), c.Values...), trusted, nil
}

func knownKeys() (keys []string) {
	for _, k := range configKeys {
		keys = append(keys, k.key)
	}
	for key := range secretKeys {
		keys = append(keys, key)
	}
	return keys
}

// fillFromFile sets flags from values, of which the first of each key counts.
func (e *environment) fillFromFile(flags *pflag.FlagSet, values []*rules.ConfigValue, trusted bool) error {
	excluded := rivals(flags)
	for _, v := range values {
		if hint, secret := secretKeys[v.Key]; secret {
			return v.Refuse("a secret does not belong in a file", hint)
		}
		known := configKeys[slices.IndexFunc(configKeys, func(k configKey) bool { return k.key == v.Key })]
		if known.trusted && !trusted {
			return v.Refuse("the file of the current folder may not say this, because it comes with the pack",
				"give it as --"+known.flag+", or name the file with --config or TWINRULES_CONFIG")
		}
		f := flags.Lookup(known.flag)
		if f == nil || f.Changed || excluded[f.Name] {
			continue
		}
		if err := flags.Set(f.Name, strings.Join(v.Texts, ",")); err != nil {
			return v.Refuse(err.Error(), "")
		}
		e.origins[f.Name] = v.Pos().String()
	}
	return nil
}
