package hubtest

import (
	"errors"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/twin"
)

const configurationID = "tr-hubtest-a"

// configuration returns one that targets nothing, and makes sure that the hub
// has none of its name, now and after the case.
func (t *T) configuration() *twin.Configuration {
	t.Helper()
	clean := func() error {
		err := t.Client.DeleteConfiguration(t.Context(), configurationID, "*")
		if errors.Is(err, twin.ErrNotFound) {
			return nil
		}
		return err
	}
	if err := clean(); err != nil {
		t.Fatal(err)
	}
	return &twin.Configuration{
		ID: configurationID, Priority: 3, Labels: map[string]string{"owner": "hubtest"},
		Content: t.object(`{"deviceContent":{"properties.desired.hubtest":{"a":1.0}}}`),
		Metrics: map[string]string{"done": "SELECT deviceId FROM devices WHERE properties.reported.hubtest = 1"},
	}
}

func (t *T) create() *twin.Configuration {
	t.Helper()
	conf, err := t.Client.PutConfiguration(t.Context(), t.configuration(), "")
	if err != nil {
		t.Fatal(err)
	}
	return conf
}

// configured runs a case with a configuration that exists, and deletes it.
func configured(run func(t *T, conf *twin.Configuration)) func(*T) {
	return func(t *T) {
		conf := t.create()
		run(t, conf)
		if err := t.Client.DeleteConfiguration(t.Context(), conf.ID, "*"); err != nil {
			t.Error(err)
		}
	}
}

// configurationCases are about automatic device management.
var configurationCases = []*Case{
	{
		Name:  "a configuration is created and listed",
		About: "Configuration_CreateOrUpdate Configuration_GetConfigurations", Evidence: "REC; LIVE",
		Run: configured(func(t *T, conf *twin.Configuration) {
			var found *twin.Configuration
			for c, err := range t.Client.Configurations(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if c.ID == conf.ID {
					found = c
				}
			}
			if found == nil || found.Priority != 3 || found.Labels["owner"] != "hubtest" || !twin.Equal(found.Content, conf.Content) || found.ETag != conf.ETag {
				t.Errorf("got %+v, want %+v", found, conf)
			}
		}),
	},
	{
		Name:  "what exists is not created",
		About: "Configuration_CreateOrUpdate", Evidence: "LIVE: 409 ConfigurationAlreadyExists",
		Run: configured(func(t *T, conf *twin.Configuration) {
			_, err := t.Client.PutConfiguration(t.Context(), conf, "")
			t.wantError(err, twin.ErrChanged, "ConfigurationAlreadyExists")
		}),
	},
	{
		Name:  "a configuration is updated under its etag",
		About: "Configuration_CreateOrUpdate", Evidence: "LIVE",
		Run: configured(func(t *T, conf *twin.Configuration) {
			old := conf.ETag
			conf.Priority, conf.Labels = 9, map[string]string{"owner": "other"}
			after, err := t.Client.PutConfiguration(t.Context(), conf, old)
			if err != nil {
				t.Fatal(err)
			}
			if after.Priority != 9 || after.Labels["owner"] != "other" || after.ETag == old {
				t.Errorf("got %+v", after)
			}
			_, err = t.Client.PutConfiguration(t.Context(), conf, old)
			t.wantError(err, twin.ErrChanged, "PreconditionFailed")
		}),
	},
	{
		Name:  "content is kept for ever",
		About: "Configuration_CreateOrUpdate Configuration_Get", Evidence: "LIVE: changed content is ignored, with 200",
		Run: configured(func(t *T, conf *twin.Configuration) {
			conf.Content, conf.Priority = t.object(`{"deviceContent":{"properties.desired.hubtest":{"a":2}}}`), 7
			if _, err := t.Client.PutConfiguration(t.Context(), conf, conf.ETag); !errors.Is(err, hub.ErrContentKept) {
				t.Errorf("got %v", err)
			}
			now, err := t.Client.NewConfigurationClient().Get(t.Context(), conf.ID, nil)
			if err != nil || now.Priority != 7 || twin.Equal(now.Content, conf.Content) {
				t.Errorf("got %+v, %v", now.Configuration, err)
			}
		}),
	},
	{
		Name:  "an old etag keeps a configuration from being deleted",
		About: "Configuration_Delete", Evidence: "LIVE",
		Run: configured(func(t *T, conf *twin.Configuration) {
			old := conf.ETag
			if _, err := t.Client.PutConfiguration(t.Context(), conf, old); err != nil {
				t.Fatal(err)
			}
			t.wantError(t.Client.DeleteConfiguration(t.Context(), conf.ID, old), twin.ErrChanged, "PreconditionFailed")
		}),
	},
	{
		Name:  "no configuration is not found",
		About: "Configuration_Get Configuration_Delete", Evidence: "LIVE: 404 ConfigurationNotFound",
		Run: func(t *T) {
			t.configuration()
			t.wantError(t.Client.DeleteConfiguration(t.Context(), configurationID, "*"), twin.ErrNotFound, "ConfigurationNotFound")
			_, err := t.Client.NewConfigurationClient().Get(t.Context(), configurationID, nil)
			t.wantError(err, twin.ErrNotFound, "ConfigurationNotFound")
		},
	},
	{
		Name:  "content for tags is refused",
		About: "Configuration_CreateOrUpdate", Evidence: "LIVE: 400 InvalidConfigurationContent",
		Run: func(t *T) {
			conf := t.configuration()
			conf.Content = t.object(`{"deviceContent":{"tags.a":1}}`)
			_, err := t.Client.PutConfiguration(t.Context(), conf, "")
			t.wantError(err, nil, "InvalidConfigurationContent")
		},
	},
	{
		Name:  "a target condition on desired properties is refused",
		About: "Configuration_CreateOrUpdate", Evidence: "DOC; LIVE",
		Run: func(t *T) {
			conf := t.configuration()
			conf.TargetCondition = "properties.desired.a = 1"
			_, err := t.Client.PutConfiguration(t.Context(), conf, "")
			t.wantError(err, nil, "InvalidConfigurationTargetCondition")
		},
	},
	{
		Name:  "a configuration without content is refused",
		About: "Configuration_CreateOrUpdate", Evidence: "LIVE: 400 InvalidConfigurationContent",
		Run: func(t *T) {
			conf := t.configuration()
			conf.Content = nil
			_, err := t.Client.PutConfiguration(t.Context(), conf, "")
			t.wantError(err, nil, "InvalidConfigurationContent")
		},
	},
	{
		Name:  "a configuration's etag counts its writes",
		About: "Configuration_CreateOrUpdate", Evidence: "REC; LIVE: MQ==, Mg==",
		Run: configured(func(t *T, conf *twin.Configuration) {
			after, err := t.Client.PutConfiguration(t.Context(), conf, conf.ETag)
			t.ok(err)
			if first, second := t.decimal(conf.ETag), t.decimal(after.ETag); first != 1 || second != 2 {
				t.Errorf("got %d and %d", first, second)
			}
		}),
	},
	{
		Name:  "a configuration has its etag as a header too",
		About: "Configuration_Get", Evidence: "REC",
		Run: configured(func(t *T, conf *twin.Configuration) {
			t.need(t.Raw != nil, "requests of any kind")
			if got := t.raw("GET", path("configurations", conf.ID), nil, ""); got.header.Get("ETag") != string(etagOf(conf.ETag)) {
				t.Errorf("got %d, ETag %s", got.status, got.header.Get("ETag"))
			}
		}),
	},
	{
		Name:  "an etag without quotes misleads",
		About: "Configuration_CreateOrUpdate", Evidence: "LIVE: 409 ConfigurationAlreadyExists; MEAS: Python sends it so",
		Run: configured(func(t *T, conf *twin.Configuration) {
			t.need(t.Raw != nil, "requests of any kind")
			t.wantRefusal(t.raw("PUT", path("configurations", conf.ID), header("If-Match", conf.ETag), string(twin.Encode(conf))), 409, "ConfigurationAlreadyExists")
		}),
	},
	{
		Name:  "a configuration is deleted without an If-Match",
		About: "Configuration_Delete", Evidence: "LIVE; MEAS: Node sends none",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			conf := t.create()
			if got := t.raw("DELETE", path("configurations", conf.ID), nil, ""); got.status != 204 {
				t.Errorf("got %d %s", got.status, got.body)
			}
		},
	},
	{
		Name:  "no configuration is updated",
		About: "Configuration_CreateOrUpdate", Evidence: "LIVE: 404 ConfigurationNotFound with an If-Match",
		Run: func(t *T) {
			_, err := t.Client.PutConfiguration(t.Context(), t.configuration(), "*")
			t.wantError(err, twin.ErrNotFound, "ConfigurationNotFound")
		},
	},
	{
		Name:  "capitals in the id of a configuration are refused",
		About: "Configuration_CreateOrUpdate", Evidence: "LIVE: 400",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			got := t.raw("PUT", path("configurations", "tr-hubtest-A"), nil, `{"id":"tr-hubtest-A","content":{"deviceContent":{"properties.desired.a":1}}}`)
			t.wantRefusal(got, 400, "")
		},
	},
	{
		Name:  "an update leaves what it does not change",
		About: "Configuration_CreateOrUpdate", Evidence: "LIVE: schemaVersion, labels and metrics are mutable; INT (az iot): its own says 2.0",
		Run: func(t *T) {
			conf := t.configuration()
			conf.SchemaVersion = "2.0"
			read, err := t.Client.NewConfigurationClient().Get(t.Context(), t.put(conf).ID, nil)
			t.ok(err)
			read.Priority = 8
			o := t.stored(t.put(read.Configuration))
			metric, _ := o.Lookup("metrics", "queries", "done")
			if o["schemaVersion"] != "2.0" || o["priority"] != number(8) || !twin.Equal(o["labels"], twin.Object{"owner": "hubtest"}) || metric != conf.Metrics["done"] {
				t.Errorf("got %s", twin.Encode(o))
			}
		},
	},
	{
		Name:  "what is not given is null or empty",
		About: "Configuration_CreateOrUpdate", Evidence: "LIVE; INT (az iot)",
		Run: func(t *T) {
			conf := t.configuration()
			conf.Labels, conf.Metrics, conf.Priority = nil, nil, 0
			o := t.stored(t.put(conf))
			if o["schemaVersion"] != nil || o["labels"] != nil || o["priority"] != number(0) || o["targetCondition"] != "" {
				t.Errorf("got %s", twin.Encode(o))
			}
		},
	},
	{
		Name:  "a list of configurations is as long as it is",
		About: "Configuration_GetConfigurations", Evidence: "LIVE: top is ignored",
		Run: configured(func(t *T, conf *twin.Configuration) {
			t.need(t.Raw != nil, "requests of any kind")
			t.put(t.targeting("second", 1, `{"deviceContent":{"properties.desired.a":1}}`))
			got := t.rawQuery("GET", "/configurations", "top=1&api-version="+apiVersion, nil, "")
			list, err := twin.Decode([]byte(got.body))
			t.ok(err)
			if items, _ := list.([]any); len(items) < 2 {
				t.Errorf("got %d %s", got.status, got.body)
			}
		}),
	},
}
