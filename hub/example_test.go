package hub_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/credential"
	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

// The emulator stands in for a hub in Azure, whose host alone would do.
func Example() {
	ctx := context.Background()
	e, err := emulator.Start(ctx, &emulator.Options{Twins: func(yield func(*twin.Twin, error) bool) {
		yield(twin.Parse([]byte(`{"deviceId":"pump-7","tags":{"site":"muc"}}`)))
	}})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	cred, err := credential.New(credential.Config{
		Kinds: []string{"client-secret"}, Authority: e.Authority(), RootCAs: e.CertPool(), TenantID: e.Tenant(), ClientID: e.Client(),
	}, func(string) (string, bool) { return e.Secret(), true })
	if err != nil {
		log.Fatal(err)
	}

	client, err := hub.NewClient(e.HubAddr(), cred, &hub.ClientOptions{RootCAs: e.CertPool()})
	if err != nil {
		log.Fatal(err)
	}
	for t, err := range client.Twins(ctx, "SELECT * FROM devices WHERE tags.site = 'muc'") {
		if err != nil {
			log.Fatal(hub.Explain(err))
		}
		patch := twin.Patch{Desired: twin.Object{"fan": "on"}}
		after, err := client.PatchTwin(ctx, t.Ref, patch, t.ETag)
		if err != nil {
			log.Fatal(hub.Explain(err))
		}
		fmt.Println(after.Ref, after.Desired()["fan"])

		_, err = client.PatchTwin(ctx, t.Ref, patch, t.ETag)
		fmt.Println(errors.Is(err, twin.ErrChanged))
	}
	// Output:
	// devices/pump-7 on
	// true
}
