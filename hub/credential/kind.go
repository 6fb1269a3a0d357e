package credential

import (
	"cmp"
	"fmt"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

// A Kind is a way to sign in.
type Kind struct {
	Name    string // in configurations
	Synonym string // the name of its type in Microsoft's documentation
	Doc     string
	build   func(*builder) (azcore.TokenCredential, error)
}

// Kinds lists every kind, in the order help shows them.
var Kinds = []*Kind{
	Default, Environment, ClientSecret, ClientCertificate, WorkloadIdentity, ManagedIdentity,
	AzureCLI, AzureDeveloperCLI, AzurePipelines, GitHubActions, ConnectionString,
}

// A builder gives a kind its settings and remembers which ones it missed.
type builder struct {
	config  Config
	lookup  func(string) (string, bool)
	options options
	missing MissingError
}

// A MissingError names everything that one kind of credential misses.
type MissingError struct {
	Kind  string
	Items []Missing
}

// A Missing is something that a credential needs, and where it may come from.
type Missing struct{ What, From string }

func (e *MissingError) Error() string {
	texts := make([]string, len(e.Items))
	for i, item := range e.Items {
		texts[i] = item.What + " (" + item.From + ")"
	}
	return "credential " + e.Kind + " needs " + strings.Join(texts, " and ")
}

// env returns a variable without white space around it, "" if it is unset.
func env(lookup func(string) (string, bool), name string) string {
	value, _ := lookup(name)
	return strings.TrimSpace(value)
}

// need returns value, or else the variable called name, and remembers it as
// missing if there is neither.
func (b *builder) need(what, value, name string) string {
	if value == "" {
		value = env(b.lookup, name)
	}
	if value == "" {
		b.miss(what, "set "+name)
	}
	return value
}

// first is [builder.need] with several variables, the first of which is the one
// to set.
func (b *builder) first(what, value string, names ...string) string {
	for _, name := range names {
		value = cmp.Or(value, env(b.lookup, name))
	}
	return b.need(what, value, names[0])
}

func (b *builder) miss(what, from string) {
	b.missing.Items = append(b.missing.Items, Missing{what, from})
}

func (b *builder) tenant() string { return b.need("a tenant id", b.config.TenantID, "AZURE_TENANT_ID") }
func (b *builder) client() string { return b.need("a client id", b.config.ClientID, "AZURE_CLIENT_ID") }

// secret reads what is called what from a file, or else from the variable called
// name.
func (b *builder) secret(what, file, name string) (Secret, error) {
	from, text := "set "+name, env(b.lookup, name)
	if file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return Secret{}, fmt.Errorf("read %s: %w", what, err)
		}
		from, text = "the file "+file+" is empty", string(data)
	}
	s := NewSecret(text)
	if s.Reveal() == "" {
		b.miss(what, from)
	}
	return s, nil
}
