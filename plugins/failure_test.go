package plugins_test

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/abi"
	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
)

// TestReplay makes failures of every sort, writes them down, reads them, and makes
// them again in another host.
func TestReplay(t *testing.T) {
	for name, binary := range map[string][]byte{
		"traps":       wasmtest.Plugin([]byte{0x00}, nil),
		"loops":       wasmtest.Plugin([]byte{0x03, 0x40, 0x0c, 0x00, 0x0b, 0x00}, nil),
		"lies":        wasmtest.Answering(`{"match":maybe}`, nil),
		"writes":      wasmtest.Answering(`{"match":true,"patch":{"tags":{"x":1}}}`, nil),
		"says so":     wasmtest.Answering(`{"error":{"message":"é\u0000 \"no\""}}`, nil),
		"costs bytes": wasmtest.Plugin(wasmtest.Code([]byte{0x03, 0x40, 0x20, 1}, wasmtest.Const32(1), []byte{0x6b, 0x22, 1, 0x0d, 0, 0x0b, 0x00}), nil),
	} {
		t.Run(name, func(t *testing.T) {
			var files [][]byte
			host := newHost(t, &plugins.Options{Fuel: 5_000, Memory: 1 << 20, Failed: func(f *plugins.Failure) { files = append(files, f.Format()) }})
			_, err := load(t, host, binary, nil).Judge(t.Context(), parse(t, pump), noon)
			var then, now *plugins.Error
			if !errors.As(err, &then) || len(files) != 1 {
				t.Fatalf("got %v and %d failures", err, len(files))
			}
			f, err := plugins.ParseFailure(files[0])
			if err != nil {
				t.Fatal(err)
			}
			if f.Limits != (abi.Limits{Fuel: 5_000, Memory: 1 << 20}) {
				t.Errorf("the file says that it had %+v", f.Limits)
			}
			m, err := newHost(t, &plugins.Options{Fuel: f.Limits.Fuel, Memory: f.Limits.Memory}).Load(t.Context(), then.Plugin, binary)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Replay(t.Context(), f); !errors.As(err, &now) {
				t.Fatalf("got %v, want the failure", err)
			}
			if now.Error() != then.Error() || now.Fuel != then.Fuel || f.Err.Fuel != then.Fuel || f.Err.Error() != then.Error() {
				t.Errorf("got %v for %d, want %v for %d; the file says %v for %d", now, now.Fuel, then, then.Fuel, f.Err, f.Err.Fuel)
			}
		})
	}
}

func TestReplayOfAnotherModule(t *testing.T) {
	f := &plugins.Failure{Module: "sha256:0", Err: &plugins.Error{}}
	m, err := newHost(t, nil).Load(t.Context(), "x", wasmtest.Plugin(wasmtest.Const64(0), nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Replay(t.Context(), f); !errors.Is(err, plugins.ErrOtherModule) {
		t.Errorf("got %v", err)
	}
}

func TestSuccessIsNoFailure(t *testing.T) {
	host := newHost(t, &plugins.Options{Fuel: 5_000, Memory: 1 << 20, Failed: func(f *plugins.Failure) { t.Errorf("told of %v", f.Err) }})
	judge(t, load(t, host, wasmtest.Plugin(wasmtest.Const64(0), nil), nil))
}

// FuzzParseFailure: what is read is written and read as itself.
func FuzzParseFailure(f *testing.F) {
	f.Add([]byte(`{"apiVersion":"twinrules/v1","kind":"PluginFailure","module":"sha256:0","plugin":"p","config":{"a":[1e5]},"now":"2026-03-01T12:00:00Z","input":"{}","device":"d","code":"plugin.eval.trap","error":"x","fuel":7,"limits":{"fuel":9,"memory":65536}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		one, err := plugins.ParseFailure(data)
		if err != nil {
			return
		}
		two, err := plugins.ParseFailure(one.Format())
		if err != nil && one.Now.Year() <= 9999 && one.Now.UTC().Year() <= 9999 && one.Now.UTC().Year() >= 0 {
			t.Fatal(err)
		}
		if err == nil {
			if diff := cmp.Diff(string(one.Format()), string(two.Format())); diff != "" {
				t.Error(diff)
			}
		}
	})
}

// TestFailuresAreReadStrictly holds files that are none.
func TestFailuresAreReadStrictly(t *testing.T) {
	for text, want := range map[string]string{
		`[]`: "read failure", `{}`: "no PluginFailure",
		`{"apiVersion":"twinrules/v1","kind":"PluginFailure"}`:                                                                       "its time",
		`{"apiVersion":"twinrules/v1","kind":"PluginFailure","now":"2026-03-01T12:00:00Z","fuel":"a lot of fuel"}`:                   "its fuel",
		`{"apiVersion":"twinrules/v1","kind":"PluginFailure","now":"2026-03-01T12:00:00Z","fuel":1}`:                                 `its fuel`,
		`{"apiVersion":"twinrules/v1","kind":"PluginFailure","now":"2026-03-01T12:00:00Z","fuel":1,"limits":{"fuel":1,"memory":-1}}`: `its memory: "-1" is no amount`,
	} {
		if _, err := plugins.ParseFailure([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want something with %q", text, err, want)
		}
	}
}

// TestCodesAreListed holds the list of codes against those that there are.
func TestCodesAreListed(t *testing.T) {
	source, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, c := range plugins.Codes {
		listed = append(listed, string(c.Code))
		if c.Doc == "" {
			t.Errorf("%s says nothing", c.Code)
		}
	}
	var there []string
	for _, m := range regexp.MustCompile(`Code = "(plugin\.[a-z_.]+)"`).FindAllStringSubmatch(string(source), -1) {
		there = append(there, m[1])
	}
	slices.Sort(there)
	slices.Sort(listed)
	if len(there) == 0 || !slices.Equal(there, listed) {
		t.Errorf("there are %q, listed are %q", there, listed)
	}
}
