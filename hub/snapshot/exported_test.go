package snapshot_test

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub/snapshot"
	"github.com/twinrules/twinrules/hub/twin"
)

func TestExportedAsItComes(t *testing.T) {
	text := "WARNING: no keys\r\n" +
		`{"id":"d1","eTag":"MQ==","twinETag":"AAAAAAAAAAE=","status":"enabled","authentication":{"type":"sas","symmetricKey":{"primaryKey":"hunter2"}},"tags":{},"deviceScope":"s"}` + "\r\n\n" +
		`{"id":"d1","moduleId":"m","twinETag":"AAAAAAAAAAI=","tags":{"a":1.50}}`
	want := []string{
		`{"authenticationType":"sas","deviceEtag":"MQ==","deviceId":"d1","deviceScope":"s","etag":"AAAAAAAAAAE=","status":"enabled"}`,
		`{"deviceId":"d1","etag":"AAAAAAAAAAI=","moduleId":"m","tags":{"a":1.50}}`,
	}
	if diff := cmp.Diff(want, documents(t, snapshot.Exported("devices.txt", strings.NewReader(text)))); diff != "" {
		t.Error(diff)
	}
}

// breaking has its text and then a failure.
type breaking struct {
	io.Reader
	err error
}

func (b breaking) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = b.err
	}
	return n, err
}

func TestExportedRefuses(t *testing.T) {
	device := `{"id":"d1","twinETag":"AAAAAAAAAAE="}` + "\n"
	lost := errors.New("the connection breaks at byte 40 of 80")
	for name, test := range map[string]struct {
		r    io.Reader
		want string
		rows int
	}{
		"no JSON":      {strings.NewReader(device + "hello\n" + device), "read export: devices.txt:2: ", 1},
		"cut off":      {strings.NewReader(device + `{"id":"d2"`), "read export: devices.txt:2: the file is cut off", 1},
		"no id":        {strings.NewReader(device + device + `{"twinETag":"x"}`), "read export: devices.txt:3: ", 2},
		"an endless":   {io.MultiReader(strings.NewReader(device+`{"id":"`), endless{}), "devices.txt:2: the line has more than 4194304 bytes", 1},
		"a break":      {breaking{strings.NewReader(device), lost}, lost.Error(), 1},
		"a long break": {breaking{strings.NewReader(device + `{"id":"d2","twin`), lost}, lost.Error(), 1},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			var err error
			for _, err = range snapshot.Exported("devices.txt", test.r) {
				n++
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || n != test.rows+1 {
				t.Errorf("got %v after %d twins, want %q after %d", err, n-1, test.want, test.rows)
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// exporting makes the lines of n devices when they are read.
type exporting struct {
	n, at int
	rest  []byte
	most  uint64 // bytes in use, at most
}

func (e *exporting) Read(p []byte) (int, error) {
	if len(e.rest) == 0 {
		if e.at == e.n {
			return 0, io.EOF
		}
		if e.at%10_000 == 0 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			e.most = max(e.most, m.HeapAlloc)
		}
		e.at++
		e.rest = fmt.Appendf(nil, `{"id":"d%07d","twinETag":"AAAAAAAAAAE=","status":"enabled","tags":{"pad":"%s"}}`+"\n", e.at, strings.Repeat("x", 500))
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// TestExportedHoldsNoFleet records 50,000 devices, 30 MB, in little memory.
func TestExportedHoldsNoFleet(t *testing.T) {
	if watched {
		t.Skip("it measures memory, of which the race detector has its own")
	}
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r := create(t, filepath.Join(t.TempDir(), "fleet.ndjson"))
	lines := &exporting{n: 50_000}
	for tw, err := range snapshot.Exported("devices.txt", lines) {
		if err == nil {
			err = r.Twin(tw)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	h, err := r.Finish(true)
	if err != nil || h.Twins != 50_000 {
		t.Fatalf("%d twins, %v", h.Twins, err)
	}
	if more := int64(lines.most) - int64(before.HeapAlloc); more > 4<<20 {
		t.Errorf("%d bytes more are in use", more)
	}
}

// TestWhatNobodyCouldRead records twins without configurations and without some
// of their members.
func TestWhatNobodyCouldRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.ndjson")
	r := create(t, path)
	r.Lacks("connectionState", "version")
	r.WithoutConfigurations()
	if err := r.Twin(parse(t, `{"deviceId":"a"}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Finish(true); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	if !s.ConfigurationsUnread || !slices.Equal(s.Missing, []string{"connectionState", "version"}) || !s.Complete {
		t.Errorf("got %+v", s.Header)
	}
	n := 0
	for _, err := range s.Configurations(t.Context()) {
		if n++; !errors.Is(err, twin.ErrDenied) || !contains(err, path) {
			t.Errorf("got %v", err)
		}
	}
	if n != 1 {
		t.Errorf("%d answers", n)
	}
}
