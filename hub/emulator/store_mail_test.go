package emulator_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

// A postman takes messages and writes down what he gets.
type postman struct {
	got  []string
	does emulator.Settlement
}

func (*postman) Invoke(string, json.RawMessage) emulator.MethodResult {
	return emulator.MethodResult{Status: 200}
}
func (*postman) Update(twin.Object) twin.Object { return nil }
func (p *postman) Receive(m emulator.Message) emulator.Settlement {
	p.got = append(p.got, m.ID+" "+string(m.Body))
	return p.does
}

// TestStateOfMail starts a hub anew with messages under way: they come in their
// order, expire at their time, and what became of them is told once, to the one
// who holds the lock.
func TestStateOfMail(t *testing.T) {
	clock := newClock()
	o := emulator.Options{Now: clock.now, State: t.TempDir(), Twins: numbered(2)}
	e, stop := keeper(t, o)
	for i, device := range []string{"d000", "d000", "d001"} {
		m := emulator.Message{ID: "m" + string(rune('1'+i)), Body: []byte("hello"), Feedback: emulator.FeedbackFull, Expires: clock.now().Add(time.Duration(2-i/2) * time.Hour)}
		if err := e.Send(device, m); err != nil {
			t.Fatal(err)
		}
	}
	stop()

	e, stop = keeper(t, o)
	p := &postman{}
	if err := e.Connect(twin.Ref{Device: "d000"}, p); err != nil {
		t.Fatal(err)
	}
	e.CatchUp()
	if diff := cmp.Diff([]string{"m1 hello", "m2 hello"}, p.got); diff != "" {
		t.Error(diff)
	}
	clock.pass(time.Hour)
	e.CatchUp()
	clock.pass(time.Minute)
	c := connect(t, e, 0)
	batch := c.do("GET", "/messages/serviceBound/feedback", "").want(200, "")
	batch.contains(`"originalMessageId":"m1"`).contains(`"originalMessageId":"m2"`)
	lock := strings.Trim(batch.header.Get("ETag"), `"`)
	c.http.CloseIdleConnections()
	stop()

	e, stop = keeper(t, o)
	defer stop()
	c = connect(t, e, 0)
	late := c.do("GET", "/messages/serviceBound/feedback", "").want(200, "")
	late.contains(`"originalMessageId":"m3","enqueuedTimeUtc":"2026-03-01T13:00:00.1234567Z","statusCode":"Expired"`)
	c.do("DELETE", "/messages/serviceBound/feedback/"+lock, "").want(204, "")
	c.do("DELETE", "/messages/serviceBound/feedback/"+lock, "").want(412, "DeviceMessageLockLost")
	clock.pass(2 * time.Minute)
	c = connect(t, e, 0)
	if got := c.do("GET", "/messages/serviceBound/feedback", "").want(200, "").body; got != late.body {
		t.Errorf("got %s, want what was not completed", got)
	}
}
