package emulator_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twinrules/twinrules/hub/emulator"
)

// A slowContainer takes its time to write, and notes what was written.
type slowContainer struct {
	takes time.Duration
	text  strings.Builder
}

func (*slowContainer) ReadBlob(context.Context, string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(`{"id":"late","status":"enabled"}` + "\n")), nil
}

func (c *slowContainer) WriteBlob(ctx context.Context, _ string, r io.Reader) error {
	select {
	case <-time.After(c.takes):
	case <-ctx.Done():
		return ctx.Err()
	}
	_, err := io.Copy(&c.text, r)
	return err
}

// TestSlowContainer lets a job write for ten minutes: the hub answers meanwhile,
// and what is written is the fleet as it was when the job ran.
func TestSlowContainer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &slowContainer{takes: 10 * time.Minute}
		e, c := inBubble(t, slow, "")
		id, _ := c.do("POST", "/jobs/create", `{"type":"export","outputBlobContainerUri":"`+signed+`"}`).want(200, "").object()["jobId"].(string)
		sleep(t, 5*time.Second)
		c.do("GET", "/jobs/"+id, "").contains(`"status":"running"`)
		begun := time.Now()
		c.do("PATCH", "/twins/d000", `{"tags":{"written":"meanwhile"}}`).want(200, "")
		if took := time.Since(begun); took > time.Second {
			t.Errorf("a write took %s", took)
		}
		sleep(t, 10*time.Minute)
		c.do("GET", "/jobs/"+id, "").contains(`"status":"completed"`).contains(`"endTimeUtc":"2000-01-01T00:10:02`)
		if text := slow.text.String(); strings.Contains(text, "meanwhile") || strings.Count(text, "\n") != 2 {
			t.Errorf("got %s", text)
		}
		closeBubble(t, e, c)
	})
}

// TestCloseDuringAnErrand closes the hub while its job writes: that ends the job's
// work but not the job, which begins anew with the hub.
func TestCloseDuringAnErrand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, state := &slowContainer{takes: 10 * time.Minute}, t.TempDir()
		e, c := inBubble(t, slow, state)
		id, _ := c.do("POST", "/jobs/create", `{"type":"import","inputBlobContainerUri":"`+signed+`","outputBlobContainerUri":"`+signed+`"}`).want(200, "").object()["jobId"].(string)
		sleep(t, 5*time.Second)
		c.do("GET", "/devices/late", "").want(200, "") // applied, and its log is being written
		closeBubble(t, e, c)
		slow.takes = time.Second
		e, c = inBubble(t, slow, state)
		c.do("GET", "/jobs/"+id, "").contains(`"status":"running"`)
		sleep(t, 10*time.Second)
		c.do("GET", "/jobs/"+id, "").contains(`"status":"completed"`)
		closeBubble(t, e, c)
	})
}

func TestCancelDuringAnErrand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &slowContainer{takes: time.Minute}
		e, c := inBubble(t, slow, "")
		id, _ := c.do("POST", "/jobs/create", `{"type":"export","outputBlobContainerUri":"`+signed+`"}`).want(200, "").object()["jobId"].(string)
		sleep(t, 5*time.Second)
		c.do("DELETE", "/jobs/"+id, "").want(204, "")
		sleep(t, 2*time.Minute)
		c.do("GET", "/jobs/"+id, "").contains(`"status":"cancelled"`)
		closeBubble(t, e, c)
	})
}

// inBubble runs a hub by the clock of the bubble.
func inBubble(t *testing.T, container emulator.Container, state string) (*emulator.Emulator, *client) {
	t.Helper()
	e, err := emulator.Start(context.Background(), &emulator.Options{
		InMemory: true, SigningKey: signingKey(), Twins: numbered(2), State: state,
		Containers: func(context.Context, *emulator.ContainerAddress) (emulator.Container, error) { return container, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return e, connect(t, e, 0)
}

func closeBubble(t *testing.T, e *emulator.Emulator, c *client) {
	t.Helper()
	c.http.CloseIdleConnections()
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// sleep passes time in a bubble, where all others go on until they wait.
func sleep(t *testing.T, d time.Duration) {
	t.Helper()
	<-time.After(d)
	synctest.Wait()
}
