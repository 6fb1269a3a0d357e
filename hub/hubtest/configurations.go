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
		Name: "a configuration is created and listed", Evidence: "REC; LIVE",
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
		Name: "what exists is not created", Evidence: "LIVE: 409 ConfigurationAlreadyExists",
		Run: configured(func(t *T, conf *twin.Configuration) {
			_, err := t.Client.PutConfiguration(t.Context(), conf, "")
			t.wantError(err, twin.ErrChanged, "ConfigurationAlreadyExists")
		}),
	},
	{
		Name: "a configuration is updated under its etag", Evidence: "LIVE",
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
		Name: "content is kept for ever", Evidence: "LIVE: changed content is ignored, with 200",
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
		Name: "an old etag keeps a configuration from being deleted", Evidence: "LIVE",
		Run: configured(func(t *T, conf *twin.Configuration) {
			old := conf.ETag
			if _, err := t.Client.PutConfiguration(t.Context(), conf, old); err != nil {
				t.Fatal(err)
			}
			t.wantError(t.Client.DeleteConfiguration(t.Context(), conf.ID, old), twin.ErrChanged, "PreconditionFailed")
		}),
	},
	{
		Name: "no configuration is not found", Evidence: "LIVE: 404 ConfigurationNotFound",
		Run: func(t *T) {
			t.configuration()
			t.wantError(t.Client.DeleteConfiguration(t.Context(), configurationID, "*"), twin.ErrNotFound, "ConfigurationNotFound")
			_, err := t.Client.NewConfigurationClient().Get(t.Context(), configurationID, nil)
			t.wantError(err, twin.ErrNotFound, "ConfigurationNotFound")
		},
	},
	{
		Name: "content for tags is refused", Evidence: "LIVE: 400 InvalidConfigurationContent",
		Run: func(t *T) {
			conf := t.configuration()
			conf.Content = t.object(`{"deviceContent":{"tags.a":1}}`)
			_, err := t.Client.PutConfiguration(t.Context(), conf, "")
			t.wantError(err, nil, "InvalidConfigurationContent")
		},
	},
	{
		Name: "a target condition on desired properties is refused", Evidence: "DOC; LIVE",
		Run: func(t *T) {
			conf := t.configuration()
			conf.TargetCondition = "properties.desired.a = 1"
			_, err := t.Client.PutConfiguration(t.Context(), conf, "")
			t.wantError(err, nil, "InvalidConfigurationTargetCondition")
		},
	},
}
