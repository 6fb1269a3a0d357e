package emulator

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// FuzzJob takes any request for a scheduled job, lets an hour pass, and keeps
// what came of it: nothing panics, the job ends, and a hub that is started from
// the state says the same of it.
func FuzzJob(f *testing.F) {
	f.Add([]byte(`{"type":"scheduleUpdateTwin","updateTwin":{"etag":"*","tags":{"a":null}},"queryCondition":"*"}`))
	f.Add([]byte(`{"type":"scheduleDeviceMethod","cloudToDeviceMethod":{"methodName":"m","payload":[1.5]},"queryCondition":"FROM devices.modules WHERE moduleId='x'"}`))
	f.Add([]byte(`{"type":"scheduleUpdateTwin","updateTwin":{"etag":"*","tags":{"a":"x"},"properties":null},"queryCondition":"tags.a <","maxExecutionTimeInSeconds":9223372036854775807}`))
	f.Add([]byte(`{"jobId":"j","type":"scheduleUpdateTwin","startTime":"2026-03-01T09:30:00+05:30"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		h := bareHub(10)
		h.fleet.put(newborn(t))
		c := &call{ids: []string{"j"}, body: body, now: morning, header: func(string) string { return "" }}
		if _, err := h.putJob(c); err != nil {
			if _, ok := err.(*refusal); !ok {
				t.Errorf("%s: %v is no refusal", body, err)
			}
			return
		}
		h.agenda.run(morning.Add(jobHorizon + jobHistory + time.Hour))
		j := h.jobs.byID["j"]
		if j.active() {
			t.Errorf("%s: still %s", body, j.Status)
		}
		if _, err := twin.Decode(marshal(j.body())); err != nil {
			t.Errorf("%s: answered %s: %v", body, marshal(j.body()), err)
		}
		again := bareHub(10)
		kept := contents{keptJobs: {"j": h.keptJob("j")}, keptTasks: {}}
		for _, id := range h.taskIDs() {
			kept[keptTasks][id] = h.keptTask(id)
		}
		if err := again.load(kept); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if got, want := string(marshal(again.jobs.byID["j"].body())), string(marshal(j.body())); got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	})
}

// FuzzImportLine takes any object as a line of an import: it is applied or it
// is one failure, and the fleet stays readable.
func FuzzImportLine(f *testing.F) {
	f.Add([]byte(`{"id":"d1","status":"enabled","importMode":"updateTwin","tags":{"a":null}}`))
	f.Add([]byte(`{"id":"d2","status":"disabled","properties":{"desired":{"a":[1],"$version":3,"$metadata":{}},"reported":{"x":1}}}`))
	f.Add([]byte(`{"id":"d1","moduleId":"m","status":"enabled","importMode":"DELETEIFMATCHETAG","eTag":"x"}`))
	f.Add([]byte(`{"id":"d1","status":7,"tags":[],"properties":{"desired":null}}`))
	f.Add([]byte(`{"Id":"c","Content":{"DeviceContent":{"properties.desired.a":1}},"Priority":"x"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		o, err := twin.DecodeObject(line)
		if err != nil {
			return
		}
		h := bareHub(10)
		h.fleet.put(newborn(t))
		for range 2 {
			for _, failure := range append(h.importLine(o, morning), h.importConfiguration(o, morning)...) {
				if failure.Status == "" {
					t.Errorf("%s: failed without a word", line)
				}
			}
		}
		for _, d := range h.fleet.all() {
			d.parse()
			d.decode()
		}
		for line := range h.deviceLines(true) {
			if line[0] == '{' && !json.Valid(line) {
				t.Errorf("exported %s", line)
			}
		}
		h.evaluate(morning)
	})
}
