package hub_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/credential"
	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

// The examples port, line by line, Microsoft's page "connect a service to IoT
// Hub using Microsoft Entra": make a credential, make the client, call. Against
// Azure the credential is
//
//	credential.New(credential.Config{Kinds: []string{"default"}}, os.LookupEnv)
//
// and the options are nil; here a hub on this machine stands in.

// standIn runs an emulator with a device and returns where it is, a credential
// for it, and the options by which it is trusted.
func standIn(ctx context.Context) (host string, cred azcore.TokenCredential, o hub.ClientOptions, stop func()) {
	e, err := emulator.Start(ctx, &emulator.Options{Twins: func(yield func(*twin.Twin, error) bool) {
		yield(twin.Parse([]byte(`{"deviceId":"pump-7","tags":{"site":"muc"}}`)))
	}})
	if err != nil {
		log.Fatal(err)
	}
	cred, err = credential.New(credential.Config{
		Kinds: []string{"client-secret"}, Authority: e.Authority(), RootCAs: e.CertPool(), TenantID: e.Tenant(), ClientID: e.Client(),
	}, func(string) (string, bool) { return e.Secret(), true })
	if err != nil {
		log.Fatal(err)
	}
	return e.HubAddr(), cred, hub.ClientOptions{RootCAs: e.CertPool()}, func() { e.Close() }
}

// scripted is a hub that says one thing, in the shape that hubs were seen to.
func scripted(answer http.HandlerFunc) (host string, cred azcore.TokenCredential, o hub.ClientOptions, stop func()) {
	s := httptest.NewTLSServer(answer)
	o.Transport = s.Client()
	return s.Listener.Addr().String(), fixedToken(token), o, s.Close
}

func ExampleNewRegistryClient() {
	ctx := context.Background()
	// TokenCredential credential = new DefaultAzureCredential();
	host, cred, options, stop := standIn(ctx)
	defer stop()
	// RegistryManager registry = RegistryManager.Create(hostname, credential);
	registry, err := hub.NewRegistryClient(host, cred, &hub.RegistryClientOptions{ClientOptions: options})
	if err != nil {
		log.Fatal(err)
	}
	// Twin twin = await registry.GetTwinAsync("pump-7");
	t, err := registry.GetTwin(ctx, "pump-7", nil)
	if err != nil {
		log.Fatal(hub.Explain(err))
	}
	// await registry.UpdateTwinAsync("pump-7", patch, twin.ETag);
	etag := azcore.ETag(t.ETag)
	t, err = registry.UpdateTwin(ctx, "pump-7", twin.Patch{Desired: twin.Object{"fan": "on"}}, &hub.RegistryClientUpdateTwinOptions{
		MatchConditions: &azcore.MatchConditions{IfMatch: &etag},
	})
	if err != nil {
		log.Fatal(hub.Explain(err))
	}
	fmt.Println(t.Ref, t.Tags()["site"], t.Desired()["fan"])
	// Output: devices/pump-7 muc on
}

func ExampleNewConfigurationClient() {
	ctx := context.Background()
	// TokenCredential credential = new DefaultAzureCredential();
	host, cred, options, stop := standIn(ctx)
	defer stop()
	// RegistryManager registry = RegistryManager.Create(hostname, credential);
	configurations, err := hub.NewConfigurationClient(host, cred, &hub.ConfigurationClientOptions{ClientOptions: options})
	if err != nil {
		log.Fatal(err)
	}
	// await registry.AddConfigurationAsync(configuration);
	_, err = configurations.CreateOrUpdate(ctx, twin.Configuration{
		ID: "fan-on", TargetCondition: "tags.site = 'muc'", Priority: 10,
		Content: twin.Object{"deviceContent": twin.Object{"properties.desired.fan": "on"}},
	}, nil)
	if err != nil {
		log.Fatal(hub.Explain(err))
	}
	// IEnumerable<Configuration> all = await registry.GetConfigurationsAsync(100);
	for c, err := range configurations.Configurations(ctx) {
		if err != nil {
			log.Fatal(hub.Explain(err))
		}
		fmt.Println(c.ID, c.TargetCondition)
	}
	// Output: fan-on tags.site = 'muc'
}

func ExampleNewJobClient() {
	ctx := context.Background()
	// TokenCredential credential = new DefaultAzureCredential();
	host, cred, options, stop := scripted(says(200, `{"jobId":"fan-on","type":"scheduleUpdateTwin","status":"completed","deviceJobStatistics":{"deviceCount":2,"succeededCount":2}}`))
	defer stop()
	// JobClient jobs = JobClient.Create(hostname, credential);
	jobs, err := hub.NewJobClient(host, cred, &hub.JobClientOptions{ClientOptions: options})
	if err != nil {
		log.Fatal(err)
	}
	// await jobs.ScheduleTwinUpdateAsync("fan-on", "tags.site = 'muc'", patch, DateTime.UtcNow, 3600);
	poller, err := jobs.BeginScheduleTwinUpdate(ctx, "fan-on", "tags.site = 'muc'", twin.Patch{Desired: twin.Object{"fan": "on"}}, nil)
	if err != nil {
		log.Fatal(hub.Explain(err))
	}
	// do { job = await jobs.GetJobAsync("fan-on"); } while (job.Status is not final);
	job, err := poller.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{})
	if err != nil {
		log.Fatal(hub.Explain(err))
	}
	fmt.Println(job.ID, job.Status, job.Devices.Succeeded)
	// Output: fan-on completed 2
}

func ExampleNewDigitalTwinClient() {
	ctx := context.Background()
	// TokenCredential credential = new DefaultAzureCredential();
	host, cred, options, stop := scripted(says(200, `{"$dtId":"pump-7","fan":"on","$metadata":{"$model":"dtmi:contoso:pump;1"}}`, "ETag", `"AAAAAAAAAAE="`))
	defer stop()
	// DigitalTwinClient twins = DigitalTwinClient.Create(hostname, credential);
	twins, err := hub.NewDigitalTwinClient(host, cred, &hub.DigitalTwinClientOptions{ClientOptions: options})
	if err != nil {
		log.Fatal(err)
	}
	// var twin = await twins.GetDigitalTwinAsync<BasicDigitalTwin>("pump-7");
	t, err := twins.Get(ctx, "pump-7", nil)
	if err != nil {
		log.Fatal(hub.Explain(err))
	}
	fmt.Println(t.ETag, string(t.Twin))
	// Output: "AAAAAAAAAAE=" {"$dtId":"pump-7","fan":"on","$metadata":{"$model":"dtmi:contoso:pump;1"}}
}

func ExampleNewRuntimeClient() {
	ctx := context.Background()
	// TokenCredential credential = new DefaultAzureCredential();
	host, cred, options, stop := scripted(says(200, `[{"originalMessageId":"m1","statusCode":"Success","deviceId":"pump-7"}]`, "ETag", `"lock-1"`))
	defer stop()
	// ServiceClient service = ServiceClient.Create(hostname, credential);
	messages, err := hub.NewRuntimeClient(host, cred, &hub.RuntimeClientOptions{ClientOptions: options})
	if err != nil {
		log.Fatal(err)
	}
	// FeedbackBatch batch = await service.GetFeedbackReceiver().ReceiveAsync();
	batch, err := messages.ReceiveFeedback(ctx, nil)
	if err != nil {
		log.Fatal(hub.Explain(err))
	}
	for _, f := range batch.Records {
		fmt.Println(f.DeviceID, f.MessageID, f.Status)
	}
	// await receiver.CompleteAsync(batch);
	if _, err := messages.CompleteFeedback(ctx, batch.LockToken, nil); err != nil {
		log.Fatal(hub.Explain(err))
	}
	// Output: pump-7 m1 Success
}
