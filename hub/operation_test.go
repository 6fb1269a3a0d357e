package hub_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/twin"
)

// transport answers requests in memory.
type transport func(*http.Request) (*http.Response, error)

func (f transport) Do(req *http.Request) (*http.Response, error) { return f(req) }

// saying makes an answer.
func saying(status int, body string, header ...string) *http.Response {
	resp := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, Body: io.NopCloser(strings.NewReader(body))}
	for i := 0; i < len(header); i += 2 {
		resp.Header.Set(header[i], header[i+1])
	}
	return resp
}

func onTransport(t *testing.T, f transport) *hub.Client {
	return newClient(t, "contoso.azure-devices.net", fixedToken(token), &hub.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: f}})
}

// A kind is how an operation may be repeated.
type kind string

const (
	reads     kind = "reads"     // whatever happens
	guarded   kind = "guarded"   // whatever happens, and is looked for if it seems to fail then
	unguarded kind = "unguarded" // when it was surely not done
	acts      kind = "acts"      // after a 429 only
)

// A usage is one way to use an operation, with the shapes that were recorded or
// documented for it.
type usage struct {
	id      string // in Microsoft's description
	name    string
	kind    kind
	call    func(context.Context, *hub.Client) error
	request string // method, escaped path with query but for the version, If-Match, body
	answer  *answered
	// What the hub says to the same once more, when it has done it, and what it
	// answers to the GET that finds out.
	again *answered
	now   string
}

type answered struct {
	status int
	body   string
	header []string
}

func (a *answered) response() *http.Response { return saying(a.status, a.body, a.header...) }

func ok(body string, header ...string) *answered { return &answered{200, body, header} }

var (
	noContent = &answered{204, "", nil}
	exists    = &answered{409, `{"Message":"ErrorCode:DeviceAlreadyExists;A device with ID 'd1' is already registered."}`, nil}
	stale     = &answered{412, `{"Message":"ErrorCode:PreconditionFailed;ETag mismatch for device ID 'd1'"}`, nil}
	gone      = &answered{404, `{"Message":"ErrorCode:DeviceNotFound;d1"}`, nil}
	etag      = azcore.ETag("AAAAAAAAAAE=")
	match     = &azcore.MatchConditions{IfMatch: &etag}
)

const (
	twinBody   = `{"deviceId":"d1","etag":"AAAAAAAAAAI=","version":3,"properties":{"desired":{"fan":"on","$version":2},"reported":{}}}`
	moduleTwin = `{"deviceId":"d1","moduleId":"m","etag":"AAAAAAAAAAI=","version":3,"properties":{"desired":{"fan":"on","$version":2}}}`
	deviceBody = `{"deviceId":"d1","generationId":"637589","etag":"MzQz","connectionState":"Disconnected","status":"enabled","statusReason":null,"statusUpdatedTime":"0001-01-01T00:00:00","cloudToDeviceMessageCount":3,"authentication":{"symmetricKey":{"primaryKey":"c2VjcmV0MQ==","secondaryKey":"c2VjcmV0Mg=="},"x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},"type":"sas"},"capabilities":{"iotEdge":false},"future":{"a":1.0}}`
	moduleBody = `{"moduleId":"m","managedBy":null,"deviceId":"d1","generationId":"637590","etag":"MzQ0","connectionState":"Disconnected","authentication":{"symmetricKey":{"primaryKey":"c2VjcmV0MQ==","secondaryKey":"c2VjcmV0Mg=="},"type":"sas"}}`
	confBody   = `{"id":"tr-a","schemaVersion":null,"content":{"deviceContent":{}},"targetCondition":"","priority":0,"etag":"MQ=="}`
	jobBody    = `{"jobId":"j-1","queryCondition":"tags.a='b'","createdTime":"2026-03-01T10:00:00Z","type":"scheduleUpdateTwin","updateTwin":{"etag":"*","tags":{"x":1}},"status":"queued"}`
	exportBody = `{"jobId":"5e1f","startTimeUtc":"2026-03-01T10:00:00Z","type":"export","status":"enqueued","progress":0,"outputBlobContainerUri":"https://a.blob.core.windows.net/c","excludeKeysInExport":true,"useSecondaryStorageAsSource":false}`
	dtBody     = `{"$dtId":"d1","fan":"off","$metadata":{"$model":"dtmi:x;1","fan":{"desiredValue":"on","desiredVersion":2}}}`
	methodBody = `{"status":200,"payload":{"done":true}}`
)

// usages lists every operation of the service API, some in more than one way.
func usages() []usage {
	one := func(_ any, err error) error { return err }
	patch := twin.Patch{Tags: twin.Object{"x": json.Number("1")}}
	return slices.Concat([]usage{
		{"Devices_GetTwin", "", reads, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewRegistryClient().GetTwin(ctx, "d1", nil))
		}, "GET /twins/d1", ok(twinBody), nil, ""},
		{"Modules_GetTwin", "", reads, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewRegistryClient().GetModuleTwin(ctx, "d1", "m", nil))
		}, "GET /twins/d1/modules/m", ok(moduleTwin), nil, ""},
		{"Devices_UpdateTwin", "with an etag", guarded, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewRegistryClient().UpdateTwin(ctx, "d1", fan, &hub.RegistryClientUpdateTwinOptions{MatchConditions: match}))
		}, `PATCH /twins/d1 "AAAAAAAAAAE=" {"properties":{"desired":{"fan":"on"}}}`, ok(twinBody), stale, twinBody},
		{"Devices_UpdateTwin", "without", unguarded, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewRegistryClient().UpdateTwin(ctx, "d1", fan, nil))
		}, `PATCH /twins/d1 {"properties":{"desired":{"fan":"on"}}}`, ok(twinBody), nil, ""},
		{"Modules_UpdateTwin", "", guarded, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewRegistryClient().UpdateModuleTwin(ctx, "d1", "m", fan, &hub.RegistryClientUpdateTwinOptions{MatchConditions: match}))
		}, `PATCH /twins/d1/modules/m "AAAAAAAAAAE=" {"properties":{"desired":{"fan":"on"}}}`, ok(moduleTwin), stale, moduleTwin},
		{"Devices_ReplaceTwin", "", guarded, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewRegistryClient().ReplaceTwin(ctx, "d1", hub.TwinContent(fan), &hub.RegistryClientUpdateTwinOptions{MatchConditions: match}))
		}, `PUT /twins/d1 "AAAAAAAAAAE=" {"properties":{"desired":{"fan":"on"}}}`, ok(twinBody), stale, twinBody},
		{"Modules_ReplaceTwin", "", guarded, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewRegistryClient().ReplaceModuleTwin(ctx, "d1", "m", hub.TwinContent(fan), &hub.RegistryClientUpdateTwinOptions{MatchConditions: match}))
		}, `PUT /twins/d1/modules/m "AAAAAAAAAAE=" {"properties":{"desired":{"fan":"on"}}}`, ok(moduleTwin), stale, moduleTwin},
		{"Query_GetTwins", "", reads, func(ctx context.Context, c *hub.Client) error { return query(ctx, c) },
			`POST /devices/query {"query":"SELECT * FROM devices"}`, ok("["+twinBody+"]", "x-ms-item-type", "Twin"), nil, ""},
		{"Devices_InvokeMethod", "", acts, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewRegistryClient().InvokeMethod(ctx, "d1", hub.Method{Name: "reboot"}, nil))
		}, `POST /twins/d1/methods {"methodName":"reboot","payload":null}`, ok(methodBody), nil, ""},
		{"Modules_InvokeMethod", "", acts, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewRegistryClient().InvokeModuleMethod(ctx, "d1", "m", hub.Method{Name: "reboot", Payload: []int{1}, ResponseTimeout: 6e9, ConnectTimeout: 1}, nil))
		}, `POST /twins/d1/modules/m/methods {"connectTimeoutInSeconds":1,"methodName":"reboot","payload":[1],"responseTimeoutInSeconds":6}`, ok(methodBody), nil, ""},

		{"Devices_GetIdentity", "", reads, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewRegistryClient().GetDevice(ctx, "d1", nil))
		}, "GET /devices/d1", ok(deviceBody), nil, ""},
		{"Devices_GetDevices", "", reads, func(ctx context.Context, c *hub.Client) error {
			return drain(c.NewRegistryClient().Devices(ctx, &hub.RegistryClientListDevicesOptions{Top: 5}))
		}, "GET /devices?top=5", ok("[" + deviceBody + "]"), nil, ""},
		{"Devices_CreateOrUpdateIdentity", "create", guarded, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewRegistryClient().CreateOrUpdateDevice(ctx, hub.Device{ID: "d1", Status: "enabled"}, nil))
		}, `PUT /devices/d1 {"deviceId":"d1","status":"enabled"}`, ok(deviceBody), exists, deviceBody},
		{"Devices_CreateOrUpdateIdentity", "update", guarded, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewRegistryClient().CreateOrUpdateDevice(ctx, hub.Device{ID: "d1", Status: "enabled"}, &hub.RegistryClientWriteOptions{MatchConditions: match}))
		}, `PUT /devices/d1 "AAAAAAAAAAE=" {"deviceId":"d1","status":"enabled"}`, ok(deviceBody), stale, deviceBody},
		{"Devices_DeleteIdentity", "", guarded, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewRegistryClient().DeleteDevice(ctx, "d1", nil))
		}, "DELETE /devices/d1 *", noContent, gone, ""},
		{"Modules_GetModulesOnDevice", "", reads, func(ctx context.Context, c *hub.Client) error {
			return drain(c.NewRegistryClient().Modules(ctx, "d1", nil))
		}, "GET /devices/d1/modules", ok("[" + moduleBody + "]"), nil, ""},
		{"Modules_GetIdentity", "", reads, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewRegistryClient().GetModule(ctx, "d1", "m", nil))
		}, "GET /devices/d1/modules/m", ok(moduleBody), nil, ""},
		{"Modules_CreateOrUpdateIdentity", "", guarded, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewRegistryClient().CreateOrUpdateModule(ctx, hub.Module{DeviceID: "d1", ID: "m"}, nil))
		}, `PUT /devices/d1/modules/m {"deviceId":"d1","moduleId":"m"}`, &answered{201, moduleBody, nil}, exists, moduleBody},
		{"Modules_DeleteIdentity", "", guarded, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewRegistryClient().DeleteModule(ctx, "d1", "m", &hub.RegistryClientWriteOptions{MatchConditions: match}))
		}, `DELETE /devices/d1/modules/m "AAAAAAAAAAE="`, noContent, gone, ""},
		{"BulkRegistry_UpdateRegistry", "", acts, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewRegistryClient().UpdateRegistry(ctx, []hub.RegistryUpdate{{Mode: hub.ImportModeUpdateTwin, Ref: d1, Tags: patch.Tags}}, nil))
		}, `POST /devices [{"id":"d1","importMode":"updateTwin","status":"enabled","tags":{"x":1}}]`, ok(`{"isSuccessful":true,"errors":[],"warnings":[]}`), nil, ""},
		{"Statistics_GetDeviceStatistics", "", reads, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewRegistryClient().GetRegistryStatistics(ctx, nil))
		}, "GET /statistics/devices", ok(`{"totalDeviceCount":3,"enabledDeviceCount":2,"disabledDeviceCount":1}`), nil, ""},
		{"Statistics_GetServiceStatistics", "", reads, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewRegistryClient().GetServiceStatistics(ctx, nil))
		}, "GET /statistics/service", ok(`{"connectedDeviceCount":1}`), nil, ""},
	}, jobUsages(one, patch), otherUsages(one))
}

func jobUsages(one func(any, error) error, patch twin.Patch) []usage {
	const container = "https://a.blob.core.windows.net/c"
	return []usage{
		{"Jobs_CreateScheduledJob", "", guarded, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewJobClient().BeginScheduleTwinUpdate(ctx, "j-1", "tags.a='b'", patch, nil))
		}, `PUT /jobs/v2/j-1 {"jobId":"j-1","maxExecutionTimeInSeconds":3600,"queryCondition":"tags.a='b'","type":"scheduleUpdateTwin","updateTwin":{"etag":"*","tags":{"x":1}}}`,
			ok(jobBody), &answered{409, `{"Message":"ErrorCode:JobAlreadyExists;j-1"}`, nil}, jobBody},
		{"Jobs_GetScheduledJob", "", reads, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewJobClient().GetScheduledJob(ctx, "j-1", nil))
		}, "GET /jobs/v2/j-1", ok(jobBody), nil, ""},
		{"Jobs_CancelScheduledJob", "", guarded, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewJobClient().CancelScheduledJob(ctx, "j-1", nil))
		}, "POST /jobs/v2/j-1/cancel", ok(`{"jobId":"j-1","status":"cancelled"}`), &answered{405, `{"Message":"ErrorCode:OperationNotAllowedInCurrentState;x"}`, nil}, `{"jobId":"j-1","status":"cancelled"}`},
		{"Jobs_QueryScheduledJobs", "", reads, func(ctx context.Context, c *hub.Client) error {
			return drain(c.NewJobClient().ScheduledJobs(ctx, &hub.JobClientQueryScheduledJobsOptions{Type: "scheduleUpdateTwin", Status: hub.JobStatusQueued}))
		}, "GET /jobs/v2/query?jobStatus=queued&jobType=scheduleUpdateTwin", ok("["+jobBody+"]", "x-ms-item-type", "JobResponse"), nil, ""},
		{"Jobs_CreateImportExportJob", "", acts, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewJobClient().BeginExportDevices(ctx, container, nil))
		}, `POST /jobs/create {"excludeKeysInExport":true,"outputBlobContainerUri":"https://a.blob.core.windows.net/c","storageAuthenticationType":"identityBased","type":"export"}`, ok(exportBody), nil, ""},
		{"Jobs_GetImportExportJob", "", reads, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewJobClient().GetJob(ctx, "5e1f", nil))
		}, "GET /jobs/5e1f", ok(exportBody), nil, ""},
		{"Jobs_GetImportExportJobs", "", reads, func(ctx context.Context, c *hub.Client) error { return drain(c.NewJobClient().Jobs(ctx)) },
			"GET /jobs", ok("[" + exportBody + "]"), nil, ""},
		{"Jobs_CancelImportExportJob", "", guarded, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewJobClient().CancelJob(ctx, "5e1f", nil))
		}, "DELETE /jobs/5e1f", noContent, &answered{404, `{"Message":"ErrorCode:JobNotFound;x"}`, nil}, ""},
	}
}

func otherUsages(one func(any, error) error) []usage {
	var dt hub.JSONPatch
	dt.Replace("on", "fan")
	return []usage{
		{"Configuration_Get", "", reads, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewConfigurationClient().Get(ctx, "tr-a", nil))
		}, "GET /configurations/tr-a", ok(confBody), nil, ""},
		{"Configuration_GetConfigurations", "", reads, func(ctx context.Context, c *hub.Client) error { return list(ctx, c) },
			"GET /configurations?top=100", ok("[" + confBody + "]"), nil, ""},
		{"Configuration_CreateOrUpdate", "create", guarded, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewConfigurationClient().CreateOrUpdate(ctx, *conf1, nil))
		}, `PUT /configurations/tr-a {"id":"tr-a","content":{"deviceContent":{}},"targetCondition":"","priority":0}`, ok(confBody), &answered{409, `{"Message":"ErrorCode:ConfigurationAlreadyExists;x"}`, nil}, confBody},
		{"Configuration_Delete", "", guarded, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewConfigurationClient().Delete(ctx, "tr-a", nil))
		}, "DELETE /configurations/tr-a", noContent, gone, ""},
		{"Configuration_TestQueries", "", reads, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewConfigurationClient().TestQueries(ctx, "tags.a = 1", map[string]string{"m": "SELECT"}, nil))
		}, `POST /configurations/testQueries {"customMetricQueries":{"m":"SELECT"},"targetCondition":"tags.a = 1"}`, ok(`{"targetConditionError":null,"customMetricQueryErrors":{"m":"bad"}}`), nil, ""},
		{"Configuration_ApplyOnEdgeDevice", "", unguarded, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewConfigurationClient().ApplyOnEdgeDevice(ctx, "d1", twin.Object{"modulesContent": twin.Object{}}, nil))
		}, `POST /devices/d1/applyConfigurationContent {"modulesContent":{}}`, noContent, nil, ""},
		{"DigitalTwin_GetDigitalTwin", "", reads, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewDigitalTwinClient().Get(ctx, "d1", nil))
		}, "GET /digitaltwins/d1", ok(dtBody, "ETag", `"AAAAAAAAAAE="`), nil, ""},
		{"DigitalTwin_UpdateDigitalTwin", "", guarded, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewDigitalTwinClient().Update(ctx, "d1", dt, &hub.DigitalTwinClientUpdateOptions{MatchConditions: match}))
		}, `PATCH /digitaltwins/d1 "AAAAAAAAAAE=" [{"op":"replace","path":"/fan","value":"on"}]`, &answered{202, "", []string{"ETag", `"AAAAAAAAAAI="`}}, stale, dtBody},
		{"DigitalTwin_InvokeRootLevelCommand", "", acts, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewDigitalTwinClient().InvokeCommand(ctx, "d1", "reboot", nil, nil))
		}, "POST /digitaltwins/d1/commands/reboot null", ok(`{"a":1}`, "x-ms-command-statuscode", "201"), nil, ""},
		{"DigitalTwin_InvokeComponentCommand", "", acts, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewDigitalTwinClient().InvokeComponentCommand(ctx, "d1", "thermostat", "report", 5, &hub.DigitalTwinClientCommandOptions{ResponseTimeout: 5e9}))
		}, "POST /digitaltwins/d1/components/thermostat/commands/report?responseTimeoutInSeconds=5 5", ok(``), nil, ""},
		{"CloudToDeviceMessages_ReceiveFeedbackNotification", "", acts, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewRuntimeClient().ReceiveFeedback(ctx, nil))
		}, "GET /messages/serviceBound/feedback", ok(`[{"originalMessageId":"1","statusCode":"Success","deviceId":"d1"}]`, "ETag", `"a-b"`, "Content-Type", "application/vnd.microsoft.iothub.feedback.json"), nil, ""},
		{"CloudToDeviceMessages_CompleteFeedbackNotification", "", acts, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewRuntimeClient().CompleteFeedback(ctx, "a-b", nil))
		}, "DELETE /messages/serviceBound/feedback/a-b", noContent, nil, ""},
		{"CloudToDeviceMessages_AbandonFeedbackNotification", "", acts, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewRuntimeClient().AbandonFeedback(ctx, "a-b", nil))
		}, "POST /messages/serviceBound/feedback/a-b/abandon", noContent, nil, ""},
		{"CloudToDeviceMessages_PurgeCloudToDeviceMessageQueue", "", acts, func(ctx context.Context, c *hub.Client) error {
			return one(c.NewRuntimeClient().PurgeCommands(ctx, "d1", nil))
		}, "DELETE /devices/d1/commands", ok(`{"deviceId":"d1","totalMessagesPurged":2}`), nil, ""},
	}
}

func drain[T any](seq func(func(T, error) bool)) error {
	for _, err := range seq {
		if err != nil {
			return err
		}
	}
	return nil
}

// Every operation of the API is there, and the usages leave none out.
func TestOperations(t *testing.T) {
	var have, used []string
	for _, op := range hub.Operations() {
		have = append(have, op.ID)
		if op.Name == "" || op.Role == "" || op.Class == nil || !strings.HasPrefix(op.Action, "Microsoft.Devices/IotHubs/") {
			t.Errorf("%+v lacks something", op)
		}
	}
	for _, u := range usages() {
		used = append(used, u.id)
	}
	slices.Sort(used)
	if used = slices.Compact(used); len(have) != 42 || !slices.Equal(have, used) {
		t.Errorf("there are %d operations\n%v\n%d are used\n%v", len(have), have, len(used), used)
	}
}

// What is sent is what Microsoft's clients were seen to send or documentation
// says, and the recorded answers are understood.
func TestUsages(t *testing.T) {
	for _, u := range usages() {
		t.Run(strings.TrimSpace(u.id+" "+u.name), func(t *testing.T) {
			var got []string
			c := onTransport(t, func(req *http.Request) (*http.Response, error) {
				got = append(got, spell(req))
				return u.answer.response(), nil
			})
			if err := u.call(t.Context(), c); err != nil {
				t.Error(err)
			}
			if !slices.Equal(got, []string{u.request}) {
				t.Errorf("got  %q\nwant %q", got, u.request)
			}
		})
	}
}

// spell returns a request as it stands in a usage.
func spell(req *http.Request) string {
	body := []byte{}
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
	}
	query := req.URL.Query()
	version := query.Get("api-version")
	query.Del("api-version")
	text := req.Method + " " + req.URL.EscapedPath()
	if len(query) > 0 {
		text += "?" + query.Encode()
	}
	for _, part := range []string{req.Header.Get("If-Match"), string(body)} {
		if part != "" {
			text += " " + part
		}
	}
	if version != "2021-04-12" || req.Header.Get("Authorization") != "Bearer "+token {
		text += " with version " + version + " and " + req.Header.Get("Authorization")
	}
	return text
}

var errReset = errors.New("connection reset by peer")

// TestRepeats lets the first try of every operation fail in each way there is.
// It is the whole of what this package decides about sending again.
func TestRepeats(t *testing.T) {
	type outcome struct {
		tries int
		err   error // nil for success
	}
	done, lost := outcome{2, nil}, outcome{1, twin.ErrMaybeApplied}
	tests := []struct {
		name  string
		fault func() (*http.Response, error)
		after bool // the hub did it all the same
		want  map[kind]outcome
	}{
		{"reset before", func() (*http.Response, error) { return nil, errReset }, false, map[kind]outcome{reads: done, guarded: done, unguarded: lost, acts: lost}},
		{"reset after", func() (*http.Response, error) { return nil, errReset }, true, map[kind]outcome{reads: done, guarded: done, unguarded: lost, acts: lost}},
		{"408", fault(408), false, map[kind]outcome{reads: done, guarded: done, unguarded: lost, acts: lost}},
		{"500", fault(500), false, map[kind]outcome{reads: done, guarded: done, unguarded: lost, acts: lost}},
		{"500 after", fault(500), true, map[kind]outcome{reads: done, guarded: done, unguarded: lost, acts: lost}},
		{"502", fault(502), false, map[kind]outcome{reads: done, guarded: done, unguarded: lost, acts: lost}},
		{"503", fault(503), false, map[kind]outcome{reads: done, guarded: done, unguarded: done, acts: lost}},
		{"503 after", fault(503), true, map[kind]outcome{reads: done, guarded: done, unguarded: done, acts: lost}},
		{"504", fault(504), false, map[kind]outcome{reads: done, guarded: done, unguarded: lost, acts: lost}},
		{"429", fault(429), false, map[kind]outcome{reads: done, guarded: done, unguarded: done, acts: done}},
		{"429 with a wait", fault(429, "retry-after-ms", "2"), false, map[kind]outcome{reads: done, guarded: done, unguarded: done, acts: done}},
		{"400", fault(400), false, map[kind]outcome{reads: {1, errOther}, guarded: {1, errOther}, unguarded: {1, errOther}, acts: {1, errOther}}},
		{"401", fault(401), false, map[kind]outcome{reads: {1, twin.ErrDenied}, guarded: {1, twin.ErrDenied}, unguarded: {1, twin.ErrDenied}, acts: {1, twin.ErrDenied}}},
	}
	for _, u := range usages() {
		for _, test := range tests {
			t.Run(strings.TrimSpace(u.id+" "+u.name)+": "+test.name, func(t *testing.T) {
				tries := 0
				c := onTransport(t, func(req *http.Request) (*http.Response, error) {
					if spell(req) != u.request {
						if u.now == "" || req.Method != http.MethodGet {
							t.Errorf("unexpected %s", spell(req))
						}
						return saying(200, u.now), nil
					}
					switch tries++; {
					case tries == 1:
						return test.fault()
					case test.after && u.again != nil:
						return u.again.response(), nil
					}
					return u.answer.response(), nil
				})
				want := test.want[u.kind]
				err := u.call(t.Context(), c)
				if tries != want.tries || !is(err, want.err) {
					t.Errorf("got %d tries and %v, want %d and %v", tries, err, want.tries, want.err)
				}
			})
		}
	}
}

// errOther stands for an error that is none of the sentinels.
var errOther = errors.New("another error")

func is(err, want error) bool {
	if want == errOther {
		return err != nil && !slices.ContainsFunc(everything, func(s error) bool { return errors.Is(err, s) })
	}
	return errors.Is(err, want) && (err == nil) == (want == nil)
}

func fault(status int, header ...string) func() (*http.Response, error) {
	return func() (*http.Response, error) {
		return saying(status, `{"Message":"ErrorCode:Some;thing"}`, header...), nil
	}
}

// A conflict after a lost answer is somebody else's when the document is not as
// the write leaves it, and unknown when it cannot be read.
func TestNotOurs(t *testing.T) {
	other := strings.NewReplacer(`"on"`, `"other"`, `"enabled"`, `"disabled"`, `tags.a='b'`, `tags.a='c'`, `"priority":0`, `"priority":9`, `"m"`, `"m"`, `"cancelled"`, `"running"`)
	for _, u := range usages() {
		if u.now == "" || u.id == "Modules_CreateOrUpdateIdentity" { // which says nothing that could differ
			continue
		}
		for name, now := range map[string]*answered{"another": ok(other.Replace(u.now)), "unreadable": {403, "", nil}} {
			tries := 0
			c := onTransport(t, func(req *http.Request) (*http.Response, error) {
				if spell(req) != u.request {
					return now.response(), nil
				}
				if tries++; tries == 1 {
					return nil, errReset
				}
				return u.again.response(), nil
			})
			err := u.call(t.Context(), c)
			want := twin.ErrChanged
			if u.again.status == 405 {
				want = errOther
			}
			if name == "unreadable" {
				want = twin.ErrMaybeApplied
			}
			if !is(err, want) {
				t.Errorf("%s, %s: got %v, want %v", u.id, name, err, want)
			}
		}
	}
}

// PatchTwin and its like are sent once: whoever calls them decides.
func TestOnce(t *testing.T) {
	for name, do := range map[string]func(context.Context, *hub.Client) error{"patch": patch, "put": put, "delete": remove} {
		for _, status := range []int{0, 408, 429, 500, 503} {
			tries := 0
			c := onTransport(t, func(*http.Request) (*http.Response, error) {
				if tries++; status == 0 {
					return nil, errReset
				}
				return saying(status, ``), nil
			})
			if err := do(t.Context(), c); err == nil || tries != 1 {
				t.Errorf("%s, %d: %d tries, %v", name, status, tries, err)
			}
		}
	}
}

// After a lost answer nothing but success and somebody else's change says
// anything about the first try.
func TestDoubtStays(t *testing.T) {
	for _, status := range []int{400, 401, 429} {
		tries := 0
		c := onTransport(t, func(*http.Request) (*http.Response, error) {
			if tries++; tries == 1 {
				return nil, errReset
			}
			return saying(status, ``), nil
		})
		_, err := c.NewRegistryClient().UpdateTwin(t.Context(), "d1", fan, &hub.RegistryClientUpdateTwinOptions{MatchConditions: match})
		if !errors.Is(err, twin.ErrMaybeApplied) || errors.Is(err, twin.ErrDenied) || errors.Is(err, twin.ErrThrottled) {
			t.Errorf("%d: got %v", status, err)
		}
	}
}
