package emulator

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// A jobKind is one sort of scheduled job.
type jobKind struct {
	name   string // on the wire
	member string // of a request, that says what to do
	// check refuses what to do when a hub does.
	check func(work []byte) error
	// echo is how the hub says it back.
	echo func(work json.RawMessage) json.RawMessage
	// do does it to one twin, and ends the task now or later. The caller holds
	// the lock.
	do func(h *hub, j *job, t *task, now time.Time)
}

var jobKinds = []*jobKind{
	{"scheduleUpdateTwin", "updateTwin", checkUpdateTwin, asSent, (*hub).updateTwinOf},
	{"scheduleDeviceMethod", "cloudToDeviceMethod", checkJobMethod, payloadAsBytes, (*hub).callMethodOf},
}

func jobKindNamed(name string) *jobKind {
	for _, k := range jobKinds {
		if k.name == name {
			return k
		}
	}
	return nil
}

func asSent(work json.RawMessage) json.RawMessage { return work }

// checkUpdateTwin refuses an update that is conditional: a job has no etags.
func checkUpdateTwin(work []byte) error {
	o, err := twin.DecodeObject(work)
	if err != nil {
		return refuse("IotHubFormatError", "updateTwin: %v", err)
	}
	if o["etag"] != "*" {
		inner := refuse("ArgumentInvalid", "Missing or invalid etag for job type ScheduleUpdateTwin. "+
			"ScheduleUpdateTwin job type is a force update, which only accepts '*' as the Etag.")
		return refuse("ArgumentInvalid", "Error: BadRequest %s", marshal(envelope1{Message: "ErrorCode:" + inner.Error()}))
	}
	e, err := readEdit(work, false)
	if err != nil {
		return err
	}
	if err := refuseAny("tags", twin.CheckTags(e.tags)); err != nil {
		return err
	}
	return refuseAny("desired", twin.CheckDesired(e.desired))
}

// updateTwinOf writes like any other service, whatever the etag is.
func (h *hub) updateTwinOf(j *job, t *task, now time.Time) {
	e, err := readEdit(j.Work, false)
	if err != nil {
		panic(err) // checked when it came
	}
	d, err := h.document(t.Ref)
	if err == nil {
		d, err = d.write(e, now)
	}
	if err != nil {
		h.endTask(j, t, taskFailure(err), now)
		return
	}
	h.fleet.put(d)
	h.endTask(j, t, nil, now)
}

// methodOf reads what a scheduled job calls on each device.
func methodOf(work []byte) (method, error) {
	if _, err := twin.DecodeObject(work); err != nil {
		return method{}, refuse("IotHubFormatError", "cloudToDeviceMethod: %v", err)
	}
	return readMethod(work)
}

func checkJobMethod(work []byte) error {
	_, err := methodOf(work)
	return err
}

// payloadAsBytes says a method back with its payload as an array of bytes, as
// was observed. That these are the bytes of the payload's JSON is a guess.
func payloadAsBytes(work json.RawMessage) json.RawMessage {
	o, err := twin.DecodeObject(work)
	if err != nil {
		panic(err) // checked when it came
	}
	payload, exists := o["payload"]
	if !exists || payload == nil {
		return work
	}
	numbers := []any{}
	for _, b := range twin.Encode(payload) {
		numbers = append(numbers, number(int64(b)))
	}
	o["payload"] = numbers
	return twin.Encode(o)
}

// callMethodOf calls the method and ends the task when the device has answered.
func (h *hub) callMethodOf(j *job, t *task, now time.Time) {
	m, err := methodOf(j.Work)
	if err != nil {
		panic(err) // checked when it came
	}
	result, err := h.invoke(t.Ref, m)
	h.agenda.plan(now.Add(min(result.After, m.response)), func(now time.Time) {
		if err != nil {
			h.endTask(j, t, taskFailure(err), now)
			return
		}
		t.Outcome = marshal(taskOutcome{taskResponse{result.Status, result.Payload}})
		h.endTask(j, t, nil, now)
	})
}

type taskOutcome struct {
	Response taskResponse `json:"deviceMethodResponse"`
}

type taskResponse struct {
	Status  int             `json:"status"`
	Payload json.RawMessage `json:"payload"`
}

// A taskError is why a job did nothing to a twin. Its members are those of the
// service SDKs' models.
type taskError struct {
	Code        string `json:"code"`
	Description string `json:"description"`
}

func taskFailure(err error) *taskError {
	r, ok := err.(*refusal)
	if !ok {
		panic(fmt.Sprintf("emulator: job: %v", err)) // nothing else refuses
	}
	return &taskError{r.code.name, r.text}
}
