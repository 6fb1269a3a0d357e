package snapshot_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/hub/snapshot"
	"github.com/twinrules/twinrules/hub/twin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// names are those of files in each form that a recorder writes.
var names = []string{"fleet.ndjson", "fleet.ndjson.zst", "fleet.zstd"}

func TestWhatWasRecordedComesBack(t *testing.T) {
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			twins := []string{
				`{"deviceId":"pump-1","etag":"AAAAAAAAAAE=","version":7,"tags":{"site":"muc"},"properties":{"desired":{"n":1.50e3}}}`,
				`{"deviceId":"pump-1","moduleId":"meter","x":"<&> ` + "\u2028" + ` \u00e9"}`,
				`{"configuration":{"id":"c"},"deviceId":"misleading"}`,
			}
			configuration := &twin.Configuration{
				ID: "tr-fan", ETag: "MQ==", TargetCondition: "*", Priority: 10,
				Labels: map[string]string{"owner": "twinrules"}, Metrics: map[string]string{"done": "SELECT deviceId FROM devices"},
				Content: twin.Object{"deviceContent": twin.Object{"properties.desired.fan": twin.Object{}}},
				Counts:  map[string]int64{"targetedCount": 9007199254740993, "appliedCount": 1},
			}
			wrote := record(t, path, twins, configuration)

			s := open(t, path)
			want := snapshot.Header{
				Schema: "snapshot/v1", Hub: "contoso.azure-devices.net", TakenAt: noon, Queries: []string{"SELECT * FROM devices"},
				Complete: true, Twins: 3, Configurations: 1, Digest: wrote.Digest,
			}
			if diff := cmp.Diff(s.Header, want); diff != "" || s.Header.Digest == "" {
				t.Errorf("header got (-) want (+):\n%s", diff)
			}
			if diff := cmp.Diff(documents(t, s.All(t.Context())), twins); diff != "" {
				t.Errorf("twins got (-) want (+):\n%s", diff)
			}
			configurations, err := collect(s.Configurations(t.Context()))
			if diff := cmp.Diff(configurations, []*twin.Configuration{configuration}); err != nil || diff != "" {
				t.Errorf("configurations %v, got (-) want (+):\n%s", err, diff)
			}
		})
	}
}

func TestLineEndsWithinATwinBecomeSpaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.ndjson")
	record(t, path, []string{"{\r\n \"deviceId\": \"a\"\n}\r\n"})
	want := []string{"{   \"deviceId\": \"a\" }  "}
	if diff := cmp.Diff(documents(t, open(t, path).All(t.Context())), want); diff != "" {
		t.Errorf("got (-) want (+):\n%s", diff)
	}
}

// Git may turn a plain snapshot's line ends into those of Windows.
func TestLineEndsOfTheFileDoNotCount(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.ndjson")
	record(t, path, []string{`{"deviceId":"a"}`, `{"deviceId":"b"}`})
	rewrite(t, path, func(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") })
	if got := documents(t, open(t, path).All(t.Context())); len(got) != 2 {
		t.Errorf("got %q", got)
	}
}

func TestRecordedTwinsComeBackByteForByte(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		path := filepath.Join(dir, rapid.SampledFrom(names).Draw(rt, "name"))
		want := []string{}
		for i := range rapid.IntRange(0, 20).Draw(rt, "twins") {
			key := rapid.SampledFrom([]string{"tags", "configuration", "x", "é\u2028"}).Draw(rt, "key")
			value := twin.Encode(twin.Object{rapid.String().Draw(rt, "inner"): rapid.String().Draw(rt, "value")})
			first, second := fmt.Sprintf(`"deviceId":"d%d"`, i), fmt.Sprintf(`%s:%s`, twin.Encode(key), value)
			if rapid.Bool().Draw(rt, "turned") {
				first, second = second, first
			}
			want = append(want, "{"+first+","+second+"}")
		}
		record(t, path, want)
		if diff := cmp.Diff(documents(t, open(t, path).All(t.Context())), want); diff != "" {
			rt.Errorf("got (-) want (+):\n%s", diff)
		}
	})
}

func TestTwinsAnswersQueries(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.ndjson.zst")
	record(t, path, []string{
		`{"deviceId":"a","tags":{"site":"muc"}}`,
		`{"deviceId":"a","moduleId":"m","tags":{"site":"muc"}}`,
		`{"deviceId":"b","tags":{"site":"ber"}}`,
	})
	s := open(t, path)
	tests := []struct{ query, want, err string }{
		{"SELECT * FROM devices", "devices/a devices/b", ""},
		{"SELECT * FROM devices WHERE tags.site = 'muc'", "devices/a", ""},
		{"SELECT * FROM devices.modules WHERE tags.site = 'muc'", "devices/a/modules/m", ""},
		{"SELECT * FROM devices WHERE tags.site = 'rio'", "", ""},
		{"SELECT deviceId FROM devices", "", "SELECT * queries only"},
		{"SELECT TOP 1 * FROM devices", "", "SELECT * queries only"},
		{"SELECT * FROM", "", "query snapshot: "},
	}
	for _, test := range tests {
		t.Run(test.query, func(t *testing.T) {
			twins, err := collect(s.Twins(t.Context(), test.query))
			if got := refs(twins); got != test.want || !contains(err, test.err) {
				t.Errorf("got %q, %v, want %q, %q", got, err, test.want, test.err)
			}
		})
	}
}

func TestReadingEndsEarly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.ndjson.zst")
	var twins []string
	for i := range 1000 {
		twins = append(twins, fmt.Sprintf(`{"deviceId":"d%d"}`, i))
	}
	record(t, path, twins)
	s := open(t, path)

	t.Run("by the reader", func(t *testing.T) {
		for range s.All(t.Context()) {
			break // TestMain looks for what is left behind
		}
	})
	t.Run("by its context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		n := 0
		for _, err := range s.All(ctx) {
			if err != nil {
				if n != 3 || !errors.Is(err, context.Canceled) {
					t.Errorf("after %d twins: %v", n, err)
				}
				return
			}
			if n++; n == 3 {
				cancel()
			}
		}
		t.Error("no error")
	})
}

func TestASnapshotIsReadByManyAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.ndjson.zst")
	record(t, path, []string{`{"deviceId":"a"}`, `{"deviceId":"b"}`})
	s := open(t, path)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				if twins, err := collect(s.All(context.Background())); refs(twins) != "devices/a devices/b" || err != nil {
					t.Errorf("got %s, %v", refs(twins), err)
				}
			}
		})
	}
	wg.Wait()
}

// The header of a fleet of any size is there at once: what follows it is not
// looked at.
func TestOpenReadsNoFurtherThanTheHeader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.ndjson")
	record(t, path, []string{`{"deviceId":"a"}`})
	rewrite(t, path, func(text string) string { return text[:strings.Index(text, "\n")+1] + "no twin at all\n" })
	if s := open(t, path); s.Header.Twins != 1 {
		t.Errorf("got %+v", s.Header)
	}
}

// record writes a snapshot of twins as a hub would write them.
func record(t testing.TB, path string, twins []string, configurations ...*twin.Configuration) snapshot.Header {
	t.Helper()
	r, err := snapshot.Create(path, "contoso.azure-devices.net", noon, []string{"SELECT * FROM devices"})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range twins {
		if err := r.Twin(parse(t, text)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range configurations {
		if err := r.Configuration(c); err != nil {
			t.Fatal(err)
		}
	}
	h, err := r.Finish(true)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func parse(t testing.TB, text string) *twin.Twin {
	t.Helper()
	parsed, err := twin.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func open(t testing.TB, path string) *snapshot.Snapshot {
	t.Helper()
	s, err := snapshot.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func documents(t testing.TB, twins iter.Seq2[*twin.Twin, error]) []string {
	t.Helper()
	list, err := collect(twins)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, one := range list {
		out = append(out, string(one.JSON()))
	}
	return out
}

func collect[T any](seq iter.Seq2[T, error]) (list []T, err error) {
	for v, err := range seq {
		if err != nil {
			return list, err
		}
		list = append(list, v)
	}
	return list, nil
}

func refs(twins []*twin.Twin) string {
	var list []string
	for _, one := range twins {
		list = append(list, one.Ref.String())
	}
	return strings.Join(list, " ")
}

// contains reports whether err says text, or is nil when text is "".
func contains(err error, text string) bool {
	if text == "" || err == nil {
		return text == "" && err == nil
	}
	return strings.Contains(err.Error(), text)
}

func rewrite(t testing.TB, path string, edit func(string) string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(edit(string(data))), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func entries(t testing.TB, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return slices.Sorted(slices.Values(names))
}
