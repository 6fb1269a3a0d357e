package emulator_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

// TestFaultsHitByCount tells hits from misses by their statuses.
func TestFaultsHitByCount(t *testing.T) {
	e := start(t, &emulator.Options{Twins: numbered(1)})
	c := connect(t, e, 0)
	for _, test := range []struct {
		name  string
		fault emulator.Fault
		want  string // of ten requests
	}{
		{"each", emulator.Fault{}, "xxxxxxxxxx"},
		{"from the third", emulator.Fault{Nth: 3}, "..xxxxxxxx"},
		{"the third", emulator.Fault{Nth: 3, Times: 1}, "..x......."},
		{"every third", emulator.Fault{Every: 3}, "x..x..x..x"},
		{"every third from the second, twice", emulator.Fault{Nth: 2, Every: 3, Times: 2}, ".x..x....."},
		{"of this method", emulator.Fault{Method: "GET", Times: 2}, "xx........"},
		{"of another method", emulator.Fault{Method: "PATCH"}, ".........."},
		{"on this path", emulator.Fault{Path: "^/twins/[^/]+$", Times: 1}, "x........."},
		{"on another path", emulator.Fault{Path: "/modules/"}, ".........."},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.fault.Status = 503
			if err := e.SetFaults(test.fault); err != nil {
				t.Fatal(err)
			}
			got := ""
			for range 10 {
				r := c.do("GET", "/twins/d000", "")
				got += map[int]string{200: ".", 503: "x"}[r.status]
			}
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestFaultAnswers(t *testing.T) {
	e := start(t, &emulator.Options{Now: newClock().now, Twins: numbered(1)})
	c := connect(t, e, 0)
	for _, test := range []struct {
		name         string
		fault        emulator.Fault
		method, path string
		code, body   string
	}{
		{"throttled", emulator.Fault{Status: 429}, "PUT", "/configurations/c", "ThrottlingBacklogTimeout",
			`{"Message":"ErrorCode:ThrottlingBacklogTimeout;The request has been throttled. Wait 10 seconds and try again. Operation type: ConfigurationWrite","ExceptionMessage":"Tracking ID:`},
		{"throttled elsewhere", emulator.Fault{Status: 429}, "GET", "/nothing", "ThrottlingBacklogTimeout", "Operation type: Unknown"},
		{"by default of a status", emulator.Fault{Status: 500}, "GET", "/twins/d000", "ServerError", "ErrorCode:ServerError;"},
		{"named", emulator.Fault{Status: 503, Code: "ServerBusy", Text: "later"}, "GET", "/twins/d000", "ServerBusy", "ErrorCode:ServerBusy;later"},
		{"not known here", emulator.Fault{Status: 418, Code: "Teapot"}, "GET", "/twins/d000", "Teapot", "ErrorCode:Teapot;"},
		{"one envelope in the other", emulator.Fault{Status: 404, Code: "DeviceNotOnline", Text: "gone"}, "POST", "/twins/d000/methods", "DeviceNotOnline",
			`{"Message":"{\"errorCode\":404103,\"message\":\"gone\",\"trackingId\":\"`},
		{"newer envelope", emulator.Fault{Status: 404, Code: "DeviceNotOnline", Text: "gone"}, "POST", "/digitaltwins/d000/commands/c", "DeviceNotOnline",
			`{"errorCode":404103,"message":"gone","trackingId":"`},
		{"newer envelope has a time", emulator.Fault{Status: 409, Code: "ModuleAlreadyExistsOnDevice"}, "PUT", "/devices/d000/modules/m", "ModuleAlreadyExistsOnDevice",
			`"timestampUtc":"2026-03-01T12:00:00.1234567Z","info":null}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := e.SetFaults(test.fault); err != nil {
				t.Fatal(err)
			}
			r := c.do(test.method, test.path, "{}").want(test.fault.Status, test.code).contains(test.body)
			if got := r.header.Get("Retry-After"); got != "" {
				t.Errorf("got Retry-After %s, a hub sends none", got)
			}
		})
	}
}

func TestFaultsAroundTheEffect(t *testing.T) {
	for _, test := range []struct {
		name    string
		fault   emulator.Fault
		lost    bool // the answer
		status  int
		applied bool
		logged  emulator.Request
	}{
		{"reset before", emulator.Fault{Reset: true}, true, 0, false, emulator.Request{Fault: "reset"}},
		{"reset after", emulator.Fault{Reset: true, After: true}, true, 0, true, emulator.Request{Status: 200, Fault: "reset"}},
		{"slow", emulator.Fault{BytesPerSecond: 10_000}, false, 200, true, emulator.Request{Status: 200, Fault: "slow"}},
		{"error before", emulator.Fault{Status: 500}, false, 500, false, emulator.Request{Status: 500, Fault: "status"}},
		{"error after", emulator.Fault{Status: 500, After: true}, false, 500, true, emulator.Request{Status: 500, Fault: "status"}},
		{"late", emulator.Fault{LatencyMS: 20}, false, 200, true, emulator.Request{Status: 200, Fault: "latency"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := start(t, &emulator.Options{Twins: numbered(1)})
			c := connect(t, e, 0)
			test.fault.Method = "PATCH"
			if err := e.SetFaults(test.fault); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			r, err := c.try("PATCH", "/twins/d000", `{"tags":{"a":1}}`)
			if test.lost != (err != nil) {
				t.Fatalf("got error %v, want one: %t", err, test.lost)
			}
			if err == nil && r.status != test.status {
				t.Errorf("got status %d, want %d", r.status, test.status)
			}
			if waited := time.Since(began); waited < time.Duration(test.fault.LatencyMS)*time.Millisecond {
				t.Errorf("answered after %v", waited)
			}
			got, err := e.Twin(twin.Ref{Device: "d000"})
			if err != nil {
				t.Fatal(err)
			}
			if applied := got.Version == 3; applied != test.applied {
				t.Errorf("applied: %t, want %t", applied, test.applied)
			}
			requests := e.Requests()
			last := requests[len(requests)-1]
			if last.Status != test.logged.Status || last.Fault != test.logged.Fault {
				t.Errorf("logged %+v, want %+v", last, test.logged)
			}
		})
	}
}

func TestSpoiledBodies(t *testing.T) {
	e := start(t, &emulator.Options{Twins: numbered(1)})
	c := connect(t, e, 0)
	whole := c.do("GET", "/twins/d000", "").body
	spoil := func(how string) (*response, error) {
		if err := e.SetFaults(emulator.Fault{Body: how}); err != nil {
			t.Fatal(err)
		}
		return c.try("GET", "/twins/d000", "")
	}
	if r, err := spoil("truncated"); !errors.Is(err, io.ErrUnexpectedEOF) || r.body != whole[:len(whole)/2] {
		t.Errorf("truncated: got %v", err)
	}
	if r, err := spoil("huge"); err != nil || len(r.body) != 64<<20+len(whole) || strings.TrimSpace(r.body) != whole {
		t.Errorf("huge: got %d bytes, %v", len(r.body), err)
	}
	for how, want := range map[string]func(r *response) bool{
		"contentType":   func(r *response) bool { return r.body == whole && r.header.Get("Content-Type") == "text/html" },
		"notJSON":       func(r *response) bool { return r.body == strings.TrimRight(whole, "}") },
		"otherDevice":   func(r *response) bool { return r.twin().Ref.Device == "somebody-else" },
		"duplicateKeys": func(r *response) bool { return strings.HasPrefix(r.body, `{"deviceId":"d000","deviceId":"d000",`) },
		"gzipBomb":      func(r *response) bool { return len(r.body) == 64<<20+len(whole) && strings.HasPrefix(r.body, whole) },
		"empty":         func(r *response) bool { return r.body == "" && r.status == 200 },
	} {
		if r, err := spoil(how); err != nil || !want(r) {
			t.Errorf("%s: got %.100s, %v", how, r.body, err)
		}
	}
	if r, err := spoil("wrong"); err != nil || !strings.HasPrefix(r.body, "<html>") || r.status != 200 {
		t.Errorf("wrong: got %v, %v", r, err)
	}
}

// TestSlowBody measures on a virtual clock how long a body of ten bytes a second
// takes.
func TestSlowBody(t *testing.T) {
	signingKey()
	synctest.Test(t, func(t *testing.T) {
		e, c := inMemory(t, emulator.Options{Twins: numbered(1)})
		whole := c.do("GET", "/twins/d000", "").body
		for _, speed := range []int{1, 10, 100} {
			if err := e.SetFaults(emulator.Fault{BytesPerSecond: speed}); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			if got := c.do("GET", "/twins/d000", "").body; got != whole {
				t.Errorf("got %s", got)
			}
			least := time.Duration(len(whole)) * time.Second / time.Duration(speed)
			if took := time.Since(began); took < least-time.Second || took > least+time.Second {
				t.Errorf("at %d bytes a second, %d bytes took %v", speed, len(whole), took)
			}
		}
	})
}

func TestRetryAfter(t *testing.T) {
	e := start(t, &emulator.Options{Twins: numbered(1)})
	c := connect(t, e, 0)
	if err := e.SetFaults(emulator.Fault{Status: 503, RetryAfter: 7}); err != nil {
		t.Fatal(err)
	}
	if got := c.do("GET", "/twins/d000", "").want(503, "ServiceUnavailable").header.Get("Retry-After"); got != "7" {
		t.Errorf("got Retry-After %s", got)
	}
}

// TestFaultOfTheAuthority shows that signing in fails like the rest.
func TestFaultOfTheAuthority(t *testing.T) {
	e := start(t, &emulator.Options{Faults: []emulator.Fault{{Path: "/oauth2/v2.0/token$", Status: 503, Times: 1}}})
	c := &client{t: t, e: e, http: e.HTTPClient()}
	defer c.http.CloseIdleConnections()
	if r := c.signIn(e.Tenant(), nil).contains(`{"error":"temporarily_unavailable","error_description":"AADSTS90033: `); r.status != 503 {
		t.Errorf("got status %d", r.status)
	}
	connect(t, e, 0)
}

// TestFirstFaultHas shows that faults count also what another one has hit.
func TestFirstFaultHas(t *testing.T) {
	e := start(t, &emulator.Options{Twins: numbered(1)})
	c := connect(t, e, 0)
	if err := e.SetFaults(emulator.Fault{Status: 500, Nth: 2, Times: 1}, emulator.Fault{Status: 503, Every: 2}); err != nil {
		t.Fatal(err)
	}
	var got []int
	for range 5 {
		got = append(got, c.do("GET", "/twins/d000", "").status)
	}
	if want := []int{503, 500, 503, 200, 503}; !cmp.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A signal is a request log that tells when a line has come.
type signal chan string

func (s signal) Write(line []byte) (int, error) {
	s <- string(line)
	return len(line), nil
}

// TestLateWrite gives up waiting: the write comes all the same, later.
func TestLateWrite(t *testing.T) {
	lines := make(signal, 10)
	e := start(t, &emulator.Options{Twins: numbered(1), RequestLog: lines})
	c := connect(t, e, 0)
	<-lines // of signing in
	if err := e.SetFaults(emulator.Fault{Method: "PATCH", LatencyMS: 1000}); err != nil {
		t.Fatal(err)
	}
	c.http.Timeout = 50 * time.Millisecond
	if _, err := c.try("PATCH", "/twins/d000", `{"tags":{"late":true}}`); err == nil {
		t.Fatal("the client did not give up")
	}
	if got, err := e.Twin(twin.Ref{Device: "d000"}); err != nil || got.Version != 2 {
		t.Fatalf("written before its time: %v", err)
	}
	if line := <-lines; !strings.Contains(line, `"fault":"latency"`) {
		t.Errorf("got line %s", line)
	}
	if got, err := e.Twin(twin.Ref{Device: "d000"}); err != nil || got.Version != 3 {
		t.Errorf("the late write was lost: %v", err)
	}
}

// TestCloseEndsLatency closes while a request waits for an hour.
func TestCloseEndsLatency(t *testing.T) {
	e := start(t, &emulator.Options{Twins: numbered(1)})
	c := connect(t, e, 0)
	if err := e.SetFaults(emulator.Fault{LatencyMS: 3_600_000}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		_, err := c.try("PATCH", "/twins/d000", `{"tags":{"a":1}}`)
		done <- err
	}()
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err == nil {
		t.Error("a closed emulator answered")
	}
}

func TestReadFaults(t *testing.T) {
	got, err := emulator.ReadFaults([]byte(`[{"method":"PATCH","path":"^/twins/","nth":3,"every":2,"times":1,"after":true,"latencyMs":5,"reset":true},
		{"status":429},{"status":400,"code":"ArgumentInvalid","text":"no"},{"body":"huge"}]`))
	want := []emulator.Fault{
		{Method: "PATCH", Path: "^/twins/", Nth: 3, Every: 2, Times: 1, After: true, LatencyMS: 5, Reset: true},
		{Status: 429}, {Status: 400, Code: "ArgumentInvalid", Text: "no"}, {Body: "huge"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for text, want := range map[string]string{
		`[{"statsu":429}]`:                            `read faults: 1:2: fault 1: json: unknown field "statsu"`,
		`[{"reset":true}] x`:                          "read faults: 1:18: invalid JSON at offset 17",
		"[{\"reset\":true},\n {}]":                    "read faults: 2:2: fault 2: it does nothing",
		"[\n  {\"status\":429,\n\"status\":500}]":     `read faults: 3:1: invalid JSON at offset 19: duplicate key "status"`,
		`[{"status":200}]`:                            "the status 200 is not an error",
		`[{"status":"429"}]`:                          "1:2: fault 1: json: cannot unmarshal string",
		`[{"reset":true,"nth":-1}]`:                   "a count is negative",
		`[{"body":"odd"}]`:                            `unknown body "odd", known are truncated, huge, wrong, contentType,`,
		`[{"reset":true,"code":"x"}]`:                 "a code or text without a status",
		`[{"body":"huge","retryAfter":3}]`:            "retryAfter without a status",
		`[{"reset":true,"bytesPerSecond":3}]`:         "a reset has no body to spoil",
		`[{"latencyMs":1},{"reset":true,"path":"("}]`: "read faults: 1:18: fault 2: path: error parsing regexp",
		`{}`:  "read faults: 1:1: not a list",
		"[\n": "read faults: 2:1: invalid JSON at offset 2",
	} {
		if _, err := emulator.ReadFaults([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func FuzzReadFaults(f *testing.F) {
	f.Add([]byte(`[{"method":"PATCH","nth":3,"status":429}]`))
	f.Add([]byte(`[{"path":"(a|b)*","body":"huge"}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		faults, err := emulator.ReadFaults(data)
		if err != nil {
			return
		}
		again, err := emulator.ReadFaults(mustMarshal(t, faults))
		if err != nil || len(again) != len(faults) || fmt.Sprint(again) != fmt.Sprint(faults) {
			t.Errorf("%s reads as %v and then as %v (%v)", data, faults, again, err)
		}
	})
}
