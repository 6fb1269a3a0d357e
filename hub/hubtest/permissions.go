package hubtest

import (
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/twin"
)

// An attempt asks for something by one operation.
type attempt func(ctx context.Context, c *hub.Client) error

const nobody = "tr-hubtest-nobody"

// first returns the error of a list that ends after it.
func first[T any](rows iter.Seq2[T, error]) error {
	for _, err := range rows {
		return err
	}
	return nil
}

// attempts returns one for each operation, about what does not exist, so that
// nothing comes of those that are let through.
func attempts() map[string]attempt {
	all := map[string]attempt{}
	for _, some := range []map[string]attempt{twinAttempts(), identityAttempts(), jobAttempts(), configurationAttempts(), digitalTwinAttempts(), messageAttempts()} {
		maps.Copy(all, some)
	}
	return all
}

func twinAttempts() map[string]attempt {
	tags := twin.Patch{Tags: twin.Object{"a": true}}
	return map[string]attempt{
		"Devices_GetTwin": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewRegistryClient().GetTwin(ctx, nobody, nil)
			return err
		},
		"Devices_UpdateTwin": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewRegistryClient().UpdateTwin(ctx, nobody, tags, nil)
			return err
		},
		"Devices_ReplaceTwin": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewRegistryClient().ReplaceTwin(ctx, nobody, hub.TwinContent{}, nil)
			return err
		},
		"Modules_GetTwin": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewRegistryClient().GetModuleTwin(ctx, nobody, "m", nil)
			return err
		},
		"Modules_UpdateTwin": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewRegistryClient().UpdateModuleTwin(ctx, nobody, "m", tags, nil)
			return err
		},
		"Modules_ReplaceTwin": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewRegistryClient().ReplaceModuleTwin(ctx, nobody, "m", hub.TwinContent{}, nil)
			return err
		},
		"Query_GetTwins": func(ctx context.Context, c *hub.Client) error {
			return first(c.Twins(ctx, "SELECT * FROM devices WHERE deviceId = '"+nobody+"'"))
		},
		"Devices_InvokeMethod": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewRegistryClient().InvokeMethod(ctx, nobody, hub.Method{Name: "m"}, nil)
			return err
		},
		"Modules_InvokeMethod": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewRegistryClient().InvokeModuleMethod(ctx, nobody, "m", hub.Method{Name: "m"}, nil)
			return err
		},
	}
}

func identityAttempts() map[string]attempt {
	any := &hub.RegistryClientWriteOptions{MatchConditions: ifMatch("*")}
	return map[string]attempt{
		"Devices_GetIdentity": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewRegistryClient().GetDevice(ctx, nobody, nil)
			return err
		},
		"Devices_GetDevices": func(ctx context.Context, c *hub.Client) error {
			return first(c.NewRegistryClient().Devices(ctx, &hub.RegistryClientListDevicesOptions{Top: 1}))
		},
		"Devices_CreateOrUpdateIdentity": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewRegistryClient().CreateOrUpdateDevice(ctx, hub.Device{ID: nobody}, any)
			return err
		},
		"Devices_DeleteIdentity": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewRegistryClient().DeleteDevice(ctx, nobody, nil)
			return err
		},
		"Modules_GetIdentity": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewRegistryClient().GetModule(ctx, nobody, "m", nil)
			return err
		},
		"Modules_GetModulesOnDevice": func(ctx context.Context, c *hub.Client) error {
			return first(c.NewRegistryClient().Modules(ctx, nobody, nil))
		},
		"Modules_CreateOrUpdateIdentity": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewRegistryClient().CreateOrUpdateModule(ctx, hub.Module{DeviceID: nobody, ID: "m"}, any)
			return err
		},
		"Modules_DeleteIdentity": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewRegistryClient().DeleteModule(ctx, nobody, "m", nil)
			return err
		},
		"BulkRegistry_UpdateRegistry": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewRegistryClient().UpdateRegistry(ctx, []hub.RegistryUpdate{{Mode: hub.ImportModeDelete, Ref: twin.Ref{Device: nobody}}}, nil)
			return err
		},
		"Statistics_GetDeviceStatistics": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewRegistryClient().GetRegistryStatistics(ctx, nil)
			return err
		},
		"Statistics_GetServiceStatistics": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewRegistryClient().GetServiceStatistics(ctx, nil)
			return err
		},
	}
}

func jobAttempts() map[string]attempt {
	return map[string]attempt{
		"Jobs_GetScheduledJob": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewJobClient().GetScheduledJob(ctx, nobody, nil)
			return err
		},
		"Jobs_CreateScheduledJob": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewJobClient().BeginScheduleTwinUpdate(ctx, nobody, "deviceId = '"+nobody+"'", twin.Patch{Tags: twin.Object{"a": true}}, nil)
			return err
		},
		"Jobs_CancelScheduledJob": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewJobClient().CancelScheduledJob(ctx, nobody, nil)
			return err
		},
		"Jobs_QueryScheduledJobs": func(ctx context.Context, c *hub.Client) error {
			return first(c.NewJobClient().ScheduledJobs(ctx, nil))
		},
		"Jobs_CreateImportExportJob": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewJobClient().BeginExportDevices(ctx, "https://none.example.com/"+nobody, nil)
			return err
		},
		"Jobs_GetImportExportJob": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewJobClient().GetJob(ctx, nobody, nil)
			return err
		},
		"Jobs_GetImportExportJobs": func(ctx context.Context, c *hub.Client) error {
			return first(c.NewJobClient().Jobs(ctx))
		},
		"Jobs_CancelImportExportJob": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewJobClient().CancelJob(ctx, nobody, nil)
			return err
		},
	}
}

func configurationAttempts() map[string]attempt {
	content := twin.Object{"deviceContent": twin.Object{"properties.desired.a": true}}
	return map[string]attempt{
		"Configuration_Get": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewConfigurationClient().Get(ctx, nobody, nil)
			return err
		},
		"Configuration_GetConfigurations": func(ctx context.Context, c *hub.Client) error {
			return first(c.Configurations(ctx))
		},
		"Configuration_CreateOrUpdate": func(ctx context.Context, c *hub.Client) error {
			_, err := c.PutConfiguration(ctx, &twin.Configuration{ID: nobody, Content: content}, "*")
			return err
		},
		"Configuration_Delete": func(ctx context.Context, c *hub.Client) error {
			return c.DeleteConfiguration(ctx, nobody, "*")
		},
		"Configuration_TestQueries": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewConfigurationClient().TestQueries(ctx, "tags.a = 1", nil, nil)
			return err
		},
		"Configuration_ApplyOnEdgeDevice": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewConfigurationClient().ApplyOnEdgeDevice(ctx, nobody, content, nil)
			return err
		},
	}
}

func digitalTwinAttempts() map[string]attempt {
	return map[string]attempt{
		"DigitalTwin_GetDigitalTwin": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewDigitalTwinClient().Get(ctx, nobody, nil)
			return err
		},
		"DigitalTwin_UpdateDigitalTwin": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewDigitalTwinClient().Update(ctx, nobody, *newPatch().Add(1, "a"), nil)
			return err
		},
		"DigitalTwin_InvokeRootLevelCommand": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewDigitalTwinClient().InvokeCommand(ctx, nobody, "m", nil, nil)
			return err
		},
		"DigitalTwin_InvokeComponentCommand": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewDigitalTwinClient().InvokeComponentCommand(ctx, nobody, "c", "m", nil, nil)
			return err
		},
	}
}

func messageAttempts() map[string]attempt {
	return map[string]attempt{
		"CloudToDeviceMessages_ReceiveFeedbackNotification": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewRuntimeClient().ReceiveFeedback(ctx, nil)
			return err
		},
		"CloudToDeviceMessages_CompleteFeedbackNotification": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewRuntimeClient().CompleteFeedback(ctx, nobody, nil)
			return err
		},
		"CloudToDeviceMessages_AbandonFeedbackNotification": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewRuntimeClient().AbandonFeedback(ctx, nobody, nil)
			return err
		},
		"CloudToDeviceMessages_PurgeCloudToDeviceMessageQueue": func(ctx context.Context, c *hub.Client) error {
			_, err := c.NewRuntimeClient().PurgeCommands(ctx, nobody, nil)
			return err
		},
	}
}

// refusedToStrangers is the evidence for a 401 where one would think of 403. Only
// reading a twin was seen to give it, and commands give it to everybody.
func refusedToStrangers(id string) string {
	switch id {
	case "Devices_GetTwin":
		return "LIVE: 401 IotHubUnauthorized, as reported of azure-sdk-for-net (21453)"
	case "DigitalTwin_InvokeRootLevelCommand", "DigitalTwin_InvokeComponentCommand":
		return "LIVE: 401 to all who come by Entra"
	}
	return "INF: 401 IotHubUnauthorized, as reported of reading a twin"
}

// without lists every operation that a stranger is refused, one case each.
func without() []*Case {
	var cases []*Case
	all := attempts()
	for _, id := range slices.Sorted(maps.Keys(all)) {
		cases = append(cases, &Case{
			Name: "without a role " + id + " is refused", About: id,
			Evidence: refusedToStrangers(id),
			Run: func(t *T) {
				t.need(t.Stranger != nil, "somebody without a role")
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				t.wantError(all[id](ctx, t.Stranger), twin.ErrDenied, "")
			},
		})
	}
	return cases
}

// permissionCases are about who may do what.
var permissionCases = append([]*Case{
	{
		Name:  "an owner learns that they may do everything",
		About: "Query_GetTwins Configuration_TestQueries", Evidence: "DOC: the 19 data actions; INF: asked of what does not exist",
		Run: func(t *T) {
			list, err := t.Client.Permissions(t.Context())
			t.ok(err)
			for _, p := range list {
				if !p.Held || p.Err != nil {
					t.Errorf("%s: held %t, %v", p.Action, p.Held, p.Err)
				}
			}
		},
	},
	{
		Name:  "a stranger learns that they may do nothing",
		About: "Query_GetTwins Configuration_TestQueries", Evidence: "DOC: the 19 data actions; INF: 401 IotHubUnauthorized for all of them",
		Run: func(t *T) {
			t.need(t.Stranger != nil, "somebody without a role")
			list, err := t.Stranger.Permissions(t.Context())
			t.ok(err)
			for _, p := range list {
				if p.Held || p.Err != nil {
					t.Errorf("%s: held %t, %v", p.Action, p.Held, p.Err)
				}
			}
		},
	},
}, without()...)
