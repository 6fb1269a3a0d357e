package hubtest

import (
	"time"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/twin"
)

// feedback returns the batch that tells of a message that a device has taken.
func (t *T) feedback(device, id string) hub.RuntimeClientReceiveFeedbackResponse {
	t.Helper()
	t.need(t.Send != nil && t.Play != nil && t.Pass != nil, "a device that takes messages, and time that passes")
	d := t.newDevice(device)
	t.Play(t.T, twin.Ref{Device: d.ID}, echo)
	t.ok(t.Send(d.ID, id))
	t.read(twin.Ref{Device: d.ID}) // lets what is due happen
	t.ok(t.Pass(t.Context(), 16*time.Second))
	batch := t.receive()
	if len(batch.Records) != 1 || batch.Records[0].DeviceID != d.ID || batch.Records[0].MessageID != id || batch.LockToken == "" {
		t.Fatalf("got %+v", batch)
	}
	return batch
}

func (t *T) receive() hub.RuntimeClientReceiveFeedbackResponse {
	t.Helper()
	out, err := t.Client.NewRuntimeClient().ReceiveFeedback(t.Context(), nil)
	t.ok(err)
	return out
}

func (t *T) complete(batch hub.RuntimeClientReceiveFeedbackResponse) {
	t.Helper()
	_, err := t.Client.NewRuntimeClient().CompleteFeedback(t.Context(), batch.LockToken, nil)
	t.ok(err)
}

func (t *T) wantNoFeedback() {
	t.Helper()
	if got := t.receive(); got.LockToken != "" || len(got.Records) != 0 {
		t.Errorf("got %+v", got)
	}
}

// messageCases are about what becomes of messages to devices.
var messageCases = []*Case{
	{
		Name:  "there may be no feedback",
		About: "CloudToDeviceMessages_ReceiveFeedbackNotification", Evidence: "DOC; MEAS: 204",
		Run: func(t *T) {
			t.need(t.Send != nil, "feedback of nobody else")
			t.wantNoFeedback()
		},
	},
	{
		Name:  "feedback tells the fate of a message",
		About: "CloudToDeviceMessages_ReceiveFeedbackNotification CloudToDeviceMessages_CompleteFeedbackNotification", Evidence: "DOC; SDK",
		Run: func(t *T) {
			batch := t.feedback("feedback", "m-1")
			if r := batch.Records[0]; r.Status != "Success" || r.GenerationID == "" || r.Enqueued == "" {
				t.Errorf("got %+v", r)
			}
			t.wantNoFeedback() // while it is locked
			t.complete(batch)
			t.ok(t.Pass(t.Context(), 2*time.Minute))
			t.wantNoFeedback()
		},
	},
	{
		Name:  "feedback that is abandoned comes again",
		About: "CloudToDeviceMessages_AbandonFeedbackNotification", Evidence: "DOC; MEAS: 204, Python takes no other status",
		Run: func(t *T) {
			batch := t.feedback("abandon", "m-2")
			_, err := t.Client.NewRuntimeClient().AbandonFeedback(t.Context(), batch.LockToken, nil)
			t.ok(err)
			again := t.receive()
			if len(again.Records) != 1 || again.Records[0] != batch.Records[0] || again.LockToken == batch.LockToken {
				t.Errorf("got %+v, then %+v", batch, again)
			}
			t.complete(again)
		},
	},
	{
		Name:  "a lock lasts a minute",
		About: "CloudToDeviceMessages_CompleteFeedbackNotification CloudToDeviceMessages_AbandonFeedbackNotification", Evidence: "DOC: 412 DeviceMessageLockLost",
		Run: func(t *T) {
			batch, c := t.feedback("lock", "m-3"), t.Client.NewRuntimeClient()
			t.ok(t.Pass(t.Context(), 61*time.Second))
			_, err := c.CompleteFeedback(t.Context(), batch.LockToken, nil)
			t.wantError(err, nil, "DeviceMessageLockLost")
			_, err = c.AbandonFeedback(t.Context(), batch.LockToken, nil)
			t.wantError(err, nil, "DeviceMessageLockLost")
			t.complete(t.receive())
		},
	},
	{
		Name:  "messages that wait are purged",
		About: "CloudToDeviceMessages_PurgeCloudToDeviceMessageQueue", Evidence: "DOC; SDK",
		Run: func(t *T) {
			t.need(t.Send != nil && t.Pass != nil, "messages, and time that passes")
			d, c := t.newDevice("purge"), t.Client.NewRuntimeClient()
			for _, id := range []string{"m-4", "m-5"} {
				t.ok(t.Send(d.ID, id))
			}
			if tw := t.document(t.read(twin.Ref{Device: d.ID})); tw["cloudToDeviceMessageCount"] != number(2) {
				t.Errorf("the twin counts %v", tw["cloudToDeviceMessageCount"])
			}
			got, err := c.PurgeCommands(t.Context(), d.ID, nil)
			t.ok(err)
			if got.DeviceID != d.ID || got.Purged != 2 {
				t.Errorf("got %+v", got)
			}
			t.ok(t.Pass(t.Context(), 16*time.Second))
			batch := t.receive()
			for _, r := range batch.Records {
				if r.Status != "Purged" {
					t.Errorf("got %+v", r)
				}
			}
			t.complete(batch)
		},
	},
	{
		Name:  "an empty queue is purged",
		About: "CloudToDeviceMessages_PurgeCloudToDeviceMessageQueue", Evidence: "DOC; SDK",
		Run: func(t *T) {
			d := t.newDevice("purge")
			got, err := t.Client.NewRuntimeClient().PurgeCommands(t.Context(), d.ID, nil)
			t.ok(err)
			if got.DeviceID != d.ID || got.Purged != 0 {
				t.Errorf("got %+v", got)
			}
		},
	},
	{
		Name:  "no device has no queue",
		About: "CloudToDeviceMessages_PurgeCloudToDeviceMessageQueue", Evidence: "INF: 404 DeviceNotFound",
		Run: func(t *T) {
			_, err := t.Client.NewRuntimeClient().PurgeCommands(t.Context(), t.freeDevice("none"), nil)
			t.wantError(err, twin.ErrNotFound, "DeviceNotFound")
		},
	},
}
