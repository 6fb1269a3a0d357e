package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Where there is no terminal, a line comes every 10 seconds, also when nothing is
// done meanwhile, and none after the end.
func TestProgressInLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := (&environment{stderr: &out}).startProgress("twins read", 100)
		<-time.After(11 * time.Second)
		p.set(40)
		<-time.After(20 * time.Second)
		p.end()
		<-time.After(time.Minute)
		want := "twinrules: twins read 0 of 100\ntwinrules: twins read 40 of 100\ntwinrules: twins read 40 of 100\n"
		if got := out.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// What keeps a log says it there.
func TestProgressInALog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := (&environment{stderr: &out, log: slog.New(slog.NewJSONHandler(&out, nil))}).startProgress("twins read", 0)
		p.set(7)
		<-time.After(11 * time.Second)
		p.end()
		if got := out.String(); !strings.HasPrefix(got, "{") || !strings.Contains(got, `"msg":"twins read 7"`) {
			t.Errorf("got %s", got)
		}
	})
}
