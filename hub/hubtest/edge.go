package hubtest

import "github.com/twinrules/twinrules/hub/twin"

// agent is the least content for a device of IoT Edge.
const agent = `{"modulesContent":{"$edgeAgent":{"properties.desired":{"schemaVersion":"1.1","modules":{}}},"$edgeHub":{"properties.desired":{"schemaVersion":"1.1","routes":{}}}}}`

// edgeCases are about testing queries, and about IoT Edge.
var edgeCases = []*Case{
	{
		Name:  "queries that are right have no errors",
		About: "Configuration_TestQueries", Evidence: "LIVE: 200, what is wrong stands in the body",
		Run: func(t *T) {
			got, err := t.Client.NewConfigurationClient().TestQueries(t.Context(), "tags.a = 1", map[string]string{"m": "SELECT deviceId FROM devices WHERE properties.reported.a = 1"}, nil)
			t.ok(err)
			if got.ConditionError != "" || len(got.MetricErrors) != 0 {
				t.Errorf("got %+v", got)
			}
		},
	},
	{
		Name:  "queries that are wrong are no refusal",
		About: "Configuration_TestQueries", Evidence: "LIVE: 200, what is wrong stands in the body",
		Run: func(t *T) {
			got, err := t.Client.NewConfigurationClient().TestQueries(t.Context(), "properties.desired.a = 1", map[string]string{"bad": "SELECT deviceId FROM", "good": "SELECT deviceId FROM devices"}, nil)
			t.ok(err)
			if got.ConditionError == "" || got.MetricErrors["bad"] == "" || got.MetricErrors["good"] != "" {
				t.Errorf("got %+v", got)
			}
		},
	},
	{
		Name:  "all devices are no condition to test",
		About: "Configuration_TestQueries", Evidence: "LIVE: it rejects *, which a configuration may have",
		Run: func(t *T) {
			got, err := t.Client.NewConfigurationClient().TestQueries(t.Context(), "*", nil, nil)
			t.ok(err)
			if got.ConditionError == "" {
				t.Error("it was found right")
			}
		},
	},
	{
		Name:  "content is applied to one edge device",
		About: "Configuration_ApplyOnEdgeDevice Modules_GetTwin", Evidence: "LIVE: 204",
		Run: func(t *T) {
			d := t.newEdge("apply")
			_, err := t.Client.NewConfigurationClient().ApplyOnEdgeDevice(t.Context(), d.ID, t.object(agent), nil)
			t.ok(err)
			if got := t.read(twin.Ref{Device: d.ID, Module: "$edgeAgent"}).Desired()["schemaVersion"]; got != "1.1" {
				t.Errorf("got %v", got)
			}
		},
	},
	{
		Name:  "content is not applied to other devices",
		About: "Configuration_ApplyOnEdgeDevice", Evidence: "LIVE: 400, Not an Azure IoT Edge device",
		Run: func(t *T) {
			_, err := t.Client.NewConfigurationClient().ApplyOnEdgeDevice(t.Context(), t.newDevice("no-edge").ID, t.object(agent), nil)
			t.wantError(err, nil, "ArgumentInvalid")
		},
	},
	{
		Name:  "content of two kinds is refused",
		About: "Configuration_CreateOrUpdate", Evidence: "LIVE: 400",
		Run: func(t *T) {
			conf := t.configuration()
			conf.Content = t.object(`{"deviceContent":{"properties.desired.a":1},"moduleContent":{"properties.desired.a":1}}`)
			_, err := t.Client.PutConfiguration(t.Context(), conf, "")
			t.wantError(err, nil, "InvalidConfigurationContent")
		},
	},
	{
		Name:  "a deployment needs an agent",
		About: "Configuration_CreateOrUpdate", Evidence: "LIVE: modulesContent must have $edgeAgent",
		Run: func(t *T) {
			conf := t.configuration()
			conf.Content = t.object(`{"modulesContent":{"m":{"properties.desired":{"a":1}}}}`)
			_, err := t.Client.PutConfiguration(t.Context(), conf, "")
			t.wantError(err, nil, "InvalidConfigurationContent")
		},
	},
	{
		Name:  "a layer of a deployment is taken",
		About: "Configuration_CreateOrUpdate", Evidence: "LIVE",
		Run: func(t *T) {
			conf := t.configuration()
			conf.Content = t.object(`{"modulesContent":{"$edgeAgent":{},"$edgeHub":{"properties.desired.routes.x":"FROM /messages/* INTO $upstream"}}}`)
			t.put(conf)
		},
	},
}
