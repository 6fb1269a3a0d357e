package hubtest

import (
	"context"
	"errors"
	"time"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/twin"
)

// evaluated lets the hub's next evaluation of configurations pass, of which
// there is one every five minutes.
func (t *T) evaluated() {
	t.Helper()
	t.need(t.Pass != nil, "time that passes")
	t.settled()
	t.ok(t.Pass(t.Context(), 6*time.Minute))
	t.settled()
}

// targeting returns a configuration for the first device alone, under a name of
// its own, that the hub does not have.
func (t *T) targeting(name string, priority int, content string) *twin.Configuration {
	t.Helper()
	conf := t.freeConfiguration("tr-hubtest-" + name)
	conf.Priority, conf.Content = priority, t.object(content)
	conf.TargetCondition = "tags.hubtest = 'evaluated'"
	return conf
}

func (t *T) put(conf *twin.Configuration) *twin.Configuration {
	t.Helper()
	out, err := t.Client.PutConfiguration(t.Context(), conf, conf.ETag)
	t.ok(err)
	return out
}

// stored returns a configuration with the members that [twin.Configuration] has
// no fields for.
func (t *T) stored(conf *twin.Configuration) twin.Object {
	t.Helper()
	t.need(t.Raw != nil, "requests of any kind")
	return t.object(t.raw("GET", path("configurations", conf.ID), nil, "").body)
}

// target returns the first device, for which the configurations of [T.targeting] are.
func (t *T) target() twin.Ref {
	t.Helper()
	ref := t.device()
	t.patch(ref, `{"hubtest":"evaluated"}`, "")
	return ref
}

func (t *T) wantDesired(ref twin.Ref, want string) {
	t.Helper()
	desired := twin.Object{}
	for key, value := range t.read(ref).Desired() {
		if key[0] != '$' {
			desired[key] = value
		}
	}
	if got := string(twin.Encode(desired)); got != want {
		t.Errorf("desired: got %s, want %s", got, want)
	}
}

// evaluationCases are about what configurations do by and by.
var evaluationCases = []*Case{
	{
		Name:  "a configuration is applied to whom it targets",
		About: "Configuration_CreateOrUpdate Configuration_Get", Evidence: "DOC; LIVE: an ordinary write of desired properties",
		Run: func(t *T) {
			ref := t.target()
			before := t.read(ref)
			conf := t.put(t.targeting("applied", 10, `{"deviceContent":{"properties.desired.hubtest":{"a":1.0}}}`))
			t.evaluated()
			t.wantDesired(ref, `{"hubtest":{"a":1.0}}`)
			t.wantMoves(before, t.read(ref), "etag new, version +1, desired +1, reported +0")
			t.evaluated()
			now, err := t.Client.NewConfigurationClient().Get(t.Context(), conf.ID, nil)
			t.ok(err)
			if now.Counts["targetedCount"] != 1 || now.Counts["appliedCount"] != 1 {
				t.Errorf("got counts %v", now.Counts)
			}
		},
	},
	{
		Name:  "the configuration of higher priority wins",
		About: "Configuration_CreateOrUpdate", Evidence: "DOC",
		Run: func(t *T) {
			ref := t.target()
			t.put(t.targeting("low", 10, `{"deviceContent":{"properties.desired.hubtest":{"a":"low"}}}`))
			high := t.put(t.targeting("high", 20, `{"deviceContent":{"properties.desired.hubtest":{"a":"high"}}}`))
			t.evaluated()
			t.wantDesired(ref, `{"hubtest":{"a":"high"}}`)
			high.Priority = 5
			t.put(high)
			t.evaluated()
			t.wantDesired(ref, `{"hubtest":{"a":"low"}}`)
		},
	},
	{
		Name:  "what a deleted configuration applied stays",
		About: "Configuration_Delete", Evidence: "LIVE",
		Run: func(t *T) {
			ref := t.target()
			conf := t.put(t.targeting("deleted", 10, `{"deviceContent":{"properties.desired.hubtest":{"a":1}}}`))
			t.evaluated()
			t.ok(t.Client.DeleteConfiguration(t.Context(), conf.ID, "*"))
			t.evaluated()
			t.wantDesired(ref, `{"hubtest":{"a":1}}`)
		},
	},
	{
		Name:  "metrics count by queries",
		About: "Configuration_CreateOrUpdate Configuration_Get", Evidence: "DOC; LIVE: results are empty until the first evaluation",
		Run: func(t *T) {
			t.need(t.Pass != nil, "time that passes")
			t.target()
			conf := t.targeting("metrics", 10, `{"deviceContent":{"properties.desired.hubtest":{"a":1}}}`)
			conf.Metrics = map[string]string{"marked": "SELECT deviceId FROM devices WHERE tags.hubtest = 'evaluated'"}
			conf = t.put(conf)
			t.evaluated()
			o := t.stored(conf)
			if n, ok := o.Lookup("metrics", "results", "marked"); !ok || n != number(1) {
				t.Errorf("got %s", twin.Encode(o))
			}
		},
	},
	{
		Name:  "system metrics are these queries",
		About: "Configuration_CreateOrUpdate", Evidence: "REC; SDK: fixtures of the CLI",
		Run: func(t *T) {
			conf := t.put(t.targeting("system", 10, `{"deviceContent":{"properties.desired.hubtest":{"a":1}}}`))
			o := t.stored(conf)
			queries, _ := o.Lookup("systemMetrics", "queries")
			want := twin.Object{
				"targetedCount": "select deviceId from devices where tags.hubtest = 'evaluated'",
				"appliedCount":  "select deviceId from devices where configurations.[[" + conf.ID + "]].status = 'Applied'",
			}
			if !twin.Equal(queries, want) {
				t.Errorf("got %s", twin.Encode(o))
			}
		},
	},
	{
		Name:  "modules are configured too",
		About: "Configuration_CreateOrUpdate", Evidence: "INT (az iot): FROM devices.modules WHERE",
		Run: func(t *T) {
			_, err := t.Client.NewRegistryClient().ReplaceModuleTwin(t.Context(), t.Module.Device, t.Module.Module, hub.TwinContent{Tags: t.object(`{"hubtest":"evaluated"}`)}, nil)
			t.ok(err)
			conf := t.targeting("module", 10, `{"moduleContent":{"properties.desired.hubtest":{"a":1}}}`)
			_, err = t.Client.PutConfiguration(t.Context(), conf, "")
			t.wantError(err, nil, "InvalidConfigurationTargetCondition")
			conf.TargetCondition = "FROM devices.modules WHERE tags.hubtest = 'evaluated'"
			t.put(conf)
			t.evaluated()
			t.wantDesired(t.Module, `{"hubtest":{"a":1}}`)
		},
	},
	{
		Name:  "what a configuration set goes when its device leaves",
		About: "Configuration_CreateOrUpdate", Evidence: "DOC",
		Run: func(t *T) {
			ref := t.target()
			t.put(t.targeting("left", 10, `{"deviceContent":{"properties.desired.hubtest":{"a":1}}}`))
			t.evaluated()
			t.patch(ref, `{"hubtest":"elsewhere"}`, "")
			t.evaluated()
			if v, stays := t.read(ref).Desired().Lookup("hubtest", "a"); stays {
				t.Errorf("it is still %v", v)
			}
		},
	},
	{
		Name:  "a configuration without a condition targets nobody",
		About: "Configuration_CreateOrUpdate", Evidence: "DOC; LIVE",
		Run: func(t *T) {
			ref := t.target()
			conf := t.targeting("nobody", 10, `{"deviceContent":{"properties.desired.hubtest":{"a":1}}}`)
			conf.TargetCondition = ""
			t.put(conf)
			t.evaluated()
			t.wantDesired(ref, `{}`)
		},
	},
	{
		Name:  "system metrics of deployments are these queries",
		About: "Configuration_CreateOrUpdate", Evidence: "REC; SDK: fixtures of the CLI",
		Run: func(t *T) {
			conf := t.put(t.targeting("deployment", 10, agent))
			o := t.stored(conf)
			queries, _ := o.Lookup("systemMetrics", "queries")
			applied := "select deviceId from devices.modules where moduleId = '$edgeAgent' and configurations.[[" + conf.ID + "]].status = 'Applied'"
			current := applied + " and properties.desired.$version = properties.reported.lastDesiredVersion and properties.reported.lastDesiredStatus.code "
			want := twin.Object{
				"targetedCount": "select deviceId from devices where capabilities.iotEdge = true and tags.hubtest = 'evaluated'",
				"appliedCount":  applied, "reportedSuccessfulCount": current + "= 200", "reportedFailedCount": current + "!= 200",
			}
			if !twin.Equal(queries, want) {
				t.Errorf("got %s", twin.Encode(queries))
			}
		},
	},
	{
		Name:  "the queries of metrics are not looked at",
		About: "Configuration_CreateOrUpdate", Evidence: "INT (az iot): it stores select *",
		Run: func(t *T) {
			conf := t.targeting("unlooked", 10, `{"deviceContent":{"properties.desired.hubtest":{"a":1}}}`)
			conf.Metrics = map[string]string{"m": "select *"}
			if out := t.put(conf); out.Metrics["m"] != "select *" {
				t.Errorf("got %v", out.Metrics)
			}
		},
	},
}

// freeConfiguration returns one that the hub does not have, now or after the case.
func (t *T) freeConfiguration(id string) *twin.Configuration {
	t.Helper()
	t.clean(func(ctx context.Context) error {
		err := t.Client.DeleteConfiguration(ctx, id, "*")
		if errors.Is(err, twin.ErrNotFound) {
			return nil
		}
		return err
	})
	return &twin.Configuration{ID: id}
}
