package hub_test

import (
	"errors"
	"testing"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

// TestClientsByResource makes the clients of one resource without a [hub.Client],
// as people who know the Azure SDK do.
func TestClientsByResource(t *testing.T) {
	e, _ := onEmulator(t, emulator.DataContributor)
	options := hub.ClientOptions{RootCAs: e.CertPool()}
	cred := signIn(t, e, e.Secret())
	registry, err := hub.NewRegistryClient(e.HubAddr(), cred, &hub.RegistryClientOptions{ClientOptions: options})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := registry.GetTwin(t.Context(), "nobody", nil); !errors.Is(err, twin.ErrNotFound) {
		t.Errorf("got %v, want %v", err, twin.ErrNotFound)
	}
	configurations, err := hub.NewConfigurationClient(e.HubAddr(), cred, &hub.ConfigurationClientOptions{ClientOptions: options})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := configurations.Get(t.Context(), "none", nil); !errors.Is(err, twin.ErrNotFound) {
		t.Errorf("got %v, want %v", err, twin.ErrNotFound)
	}
	if _, err := hub.NewRegistryClient("hub.example.com", cred, nil); err == nil {
		t.Error("a host that is no hub was taken")
	}
	if _, err := hub.NewConfigurationClient("hub.example.com", cred, nil); err == nil {
		t.Error("a host that is no hub was taken")
	}
}
