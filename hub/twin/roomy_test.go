package twin_test

import (
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/twinrules/twinrules/hub/twin"
)

func TestRoomy(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	for section, want := range map[string]bool{
		``:   true,
		`{}`: true,
		`{"a":1,"b":[1,true,"x"],"c":{"d":-1.5}}`:                                  true,
		`{"a":"caf\u00e9 \"x\"","b":"Tür"}`:                                        true,
		`{"$metadata":{"$lastUpdated":"x","a":{"$lastUpdated":"x"}},"$version":4}`: true,
		deep(10):                    true,
		deep(11):                    false,
		`{"a": 1}`:                  false,
		`{"a":null}`:                false,
		`{"a":[null]}`:              false,
		`{"a.b":1}`:                 false,
		`{"a":{"$version":1}}`:      false,
		`{"$other":1}`:              false,
		`{"$":1}`:                   false,
		`{"a b":1}`:                 false,
		`{"é":1}`:                   false,
		`{"\u0061":1}`:              false,
		`{"a":"\ud800\q"}`:          false,
		"{\"a\":\"\xff\"}":          false,
		"{\"a\":\"\x01\"}":          false,
		`{"a":1234567890123456}`:    false,
		`{"a":01}`:                  false,
		`{"a":-}`:                   false,
		`{"a":1.}`:                  false,
		`{"a":1e3}`:                 false,
		`{"a":1`:                    false,
		`{"a"`:                      false,
		`{"a":tru}`:                 false,
		`{"a":1}x`:                  false,
		`{"a":1,}`:                  false,
		`{"a":[1,]}`:                false,
		`{"$metadata":{`:            false,
		`null`:                      false,
		`{"a":"` + big(4097) + `"}`: false,
		`{"` + big(1025) + `":1}`:   false,
	} {
		if got := twin.Roomy([]byte(section), 1<<20, 0); got != want {
			t.Errorf("%.60q: %v", section, got)
		}
	}
}

func big(n int) string { return strings.Repeat("x", n) }

func TestRoomyCounts(t *testing.T) {
	section := []byte(`{"a":[` + strings.Repeat("1,", 100) + `1]}`) // the worst there is: 809 bytes for the hub
	o, err := twin.DecodeObject(section)
	if err != nil || twin.Size(o) <= 2*len(section) {
		t.Fatal(twin.Size(o), err)
	}
	for limit := range 1000 {
		if twin.Roomy(section, limit, 100) && limit < twin.Size(o)+100 {
			t.Fatalf("%d bytes and 100 more have no room in %d", twin.Size(o), limit)
		}
	}
	if twin.Roomy(nil, 10, 11) || !twin.Roomy(nil, 10, 10) {
		t.Error("what is added counts where there is nothing, too")
	}
}

// TestWhatIsRoomyTheHubTakes is the law.
func TestWhatIsRoomyTheHubTakes(t *testing.T) {
	roomy := 0
	rapid.Check(t, func(t *rapid.T) {
		o := document(3).Draw(t, "section")
		checkRoomy(t, twin.Encode(o), &roomy)
	})
	if roomy == 0 {
		t.Error("no section is roomy")
	}
}

func checkRoomy(t interface{ Fatalf(string, ...any) }, section []byte, roomy *int) {
	section = []byte(strings.TrimSuffix(string(section), "\n"))
	if !twin.Roomy(section, twin.MaxTagsSize, 0) || len(section) == 0 {
		return
	}
	*roomy++
	o, err := twin.DecodeObject(section)
	if err != nil && (strings.Contains(err.Error(), "duplicate") || strings.Contains(string(section), "$metadata")) {
		return // is found where it matters
	}
	if bad := twin.CheckTags(o); err != nil || len(bad) > 0 {
		t.Fatalf("%s: %v %v", section, err, bad)
	}
}

// FuzzRoomy holds the law on any text.
func FuzzRoomy(f *testing.F) {
	for _, seed := range []string{reefer, `{"a":[1,2.5,"\u00e9",{}],"b":true}`, `{"$metadata":{"a":1},"$version":7}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, section []byte) { checkRoomy(t, section, new(int)) })
}

func BenchmarkRoomy(b *testing.B) {
	data, err := os.ReadFile("testdata/reefer.json")
	if err != nil {
		b.Fatal(err)
	}
	t, err := twin.Parse(data)
	if err != nil {
		b.Fatal(err)
	}
	section := twin.Encode(t.Desired())
	section = []byte(strings.TrimSpace(string(section)))
	b.Run("roomy", func(b *testing.B) {
		for b.Loop() {
			if !twin.Roomy(section, twin.MaxDesiredSize, 100) {
				b.Fatal("it is")
			}
		}
	})
	b.Run("decode and check", func(b *testing.B) {
		for b.Loop() {
			o, err := twin.DecodeObject(section)
			if bad := twin.CheckDesired(o); err != nil || len(bad) > 0 {
				b.Fatal(err, bad)
			}
		}
	})
}

// TestPlainTime holds the short way to ParseTime.
func TestPlainTime(t *testing.T) {
	plain := 0
	check := func(text string) {
		got, ok := twin.PlainTime([]byte(`"` + text + `"`))
		want, err := twin.ParseTime(text)
		if ok && (err != nil || !got.Equal(want)) {
			t.Errorf("%q is %v, want %v %v", text, got, want, err)
		}
		if ok {
			plain++
		}
	}
	for _, text := range []string{"2026-11-02T03:53:57.0508364Z", "0001-01-01T00:00:00Z", "2026-02-29T00:00:00Z", "2024-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
		"2026-12-31T23:59:59.999999999Z", "2026-12-31T23:59:60Z", "2026-12-31T24:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
		"2026-12-31T23:59:59.Z", "2026-12-31T23:59:59.1", "2026-12-31T23:59:59.1+01:00", "2026-12-31 23:59:59Z", "2026-12-31T23:59:59.1234567890Z", "", "Z", "2026-12-31T23:59:59,5Z"} {
		check(text)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := []byte("2026-11-02T03:53:57.0508364Z")
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			text[rapid.IntRange(0, len(text)-1).Draw(t, "at")] = rapid.SampledFrom([]byte("0123456789:.-TZ+ ")).Draw(t, "byte")
		}
		check(string(text))
	})
	if plain < 20 {
		t.Errorf("only %d were plain", plain)
	}
}
