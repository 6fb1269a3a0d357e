package emulator_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/twin"
)

// ask sends a query; header holds names and values in turn.
func (c *client) ask(text string, header ...string) *response {
	c.t.Helper()
	return c.do("POST", "/devices/query", string(twin.Encode(twin.Object{"query": text})), header...)
}

// pages reads a query to its end and returns the rows of each page. Between two
// pages it calls meanwhile.
func (c *client) pages(text string, size int, meanwhile func()) (pages [][]string) {
	c.t.Helper()
	token := ""
	for {
		r := c.ask(text, "x-ms-max-item-count", fmt.Sprint(size), "x-ms-continuation", token).want(200, "")
		v, err := twin.Decode([]byte(r.body))
		rows, ok := v.([]any)
		if err != nil || !ok {
			c.t.Fatalf("not an array: %s", r.body)
		}
		page := []string{}
		for _, row := range rows {
			page = append(page, string(twin.Encode(row.(twin.Object)["deviceId"])))
		}
		pages = append(pages, page)
		if token = r.header.Get("x-ms-continuation"); token == "" || len(pages) > 50 {
			return pages
		}
		meanwhile()
	}
}

func TestPages(t *testing.T) {
	e := start(t, &emulator.Options{Twins: numbered(7), PageSize: 3})
	gaps := start(t, &emulator.Options{Twins: numbered(4), EmptyPages: true})
	const all = "SELECT deviceId FROM devices"
	for _, test := range []struct {
		name string
		e    *emulator.Emulator
		text string
		size int
		want string
	}{
		{"last page not full", e, all, 3, `[["d000" "d001" "d002"] ["d003" "d004" "d005"] ["d006"]]`},
		{"more than granted", e, all, 1000, `[["d000" "d001" "d002"] ["d003" "d004" "d005"] ["d006"]]`},
		{"last page full", e, all + " WHERE tags.n < 4", 2, `[["d000" "d001"] ["d002" "d003"]]`},
		{"one page", e, "SELECT TOP 2 deviceId FROM devices", 2, `[["d000" "d001"]]`},
		{"nothing", e, all + " WHERE tags.n = 9", 2, `[[]]`},
		{"whole twins", e, "SELECT * FROM devices WHERE tags.n >= 5", 1, `[["d005"] ["d006"]]`},
		{"empty pages between and last", gaps, all, 2, `[["d000" "d001"] [] ["d002" "d003"] []]`},
		{"empty page after nothing", gaps, all + " WHERE tags.n = 9", 2, `[[] []]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			pages := connect(t, test.e, 0).pages(test.text, test.size, func() {})
			if got := fmt.Sprintf("%v", pages); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestPagesStayWhileTheFleetChanges deletes, makes and changes devices between
// pages: what was seen at the first page is what all pages have.
func TestPagesStayWhileTheFleetChanges(t *testing.T) {
	e := start(t, &emulator.Options{Twins: numbered(6)})
	c := connect(t, e, 0)
	n := 0
	got := c.pages("SELECT * FROM devices WHERE tags.n < 100", 2, func() {
		e.Delete(twin.Ref{Device: fmt.Sprintf("d00%d", 5-n)})
		if err := e.Patch(twin.Ref{Device: "d003"}, twin.Patch{Tags: twin.Object{"n": nil}}); err != nil {
			t.Error(err)
		}
		newcomer, err := twin.Parse(fmt.Appendf(nil, `{"deviceId":"a%d","tags":{"n":1}}`, n))
		if err != nil {
			t.Error(err)
		}
		if err := e.Put(newcomer); err != nil {
			t.Error(err)
		}
		n++
	})
	want := [][]string{{`"d000"`, `"d001"`}, {`"d002"`, `"d003"`}, {`"d004"`, `"d005"`}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got = c.pages("SELECT * FROM devices WHERE tags.n < 100", 100, nil)
	if want := [][]string{{`"a0"`, `"a1"`, `"d000"`, `"d001"`, `"d002"`}}; !cmp.Equal(got, want) {
		t.Errorf("a new query has %v, want %v", got, want)
	}
}

func TestItemTypes(t *testing.T) {
	e := start(t, &emulator.Options{Twins: numbered(3)})
	c := connect(t, e, 0)
	for text, want := range map[string][2]string{
		"SELECT * FROM devices":                          {"Twin", ""},
		"select * from devices.modules":                  {"Twin", "[]"},
		"SELECT deviceId, tags.n FROM devices":           {"Raw", `[{"deviceId":"d000","n":0},{"deviceId":"d001","n":1},{"deviceId":"d002","n":2}]`},
		"SELECT COUNT() AS n FROM devices":               {"Raw", `[{"n":3}]`},
		"SELECT tags.none FROM devices WHERE tags.n = 1": {"Raw", `[{}]`},
		"SELECT * FROM devices.jobs":                     {"DeviceJob", "[]"},
	} {
		r := c.ask(text).want(200, "")
		if got := r.header.Get("x-ms-item-type"); got != want[0] {
			t.Errorf("%s: got type %s, want %s", text, got, want[0])
		}
		if want[1] != "" && r.body != want[1] {
			t.Errorf("%s: got %s, want %s", text, r.body, want[1])
		}
	}
}

func TestRowsAreTheTwins(t *testing.T) {
	e := start(t, &emulator.Options{Twins: fleet(`{"deviceId":"d1","tags":{"a":1.50,"b":"é<"}}`)})
	c := connect(t, e, 0)
	if got, want := c.ask("SELECT * FROM devices").body, "["+c.do("GET", "/twins/d1", "").body+"]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRefusedQueries(t *testing.T) {
	e := start(t, &emulator.Options{Twins: numbered(5)})
	c := connect(t, e, 0)
	first := c.ask("SELECT * FROM devices", "x-ms-max-item-count", "2")
	token := first.header.Get("x-ms-continuation")
	for _, test := range []struct {
		name, body string
		header     []string
		code, text string
	}{
		{"syntax", `{"query":"SELECT * FROM devices ORDER BY deviceId"}`, nil, "ArgumentInvalid", `"ErrorCode:ArgumentInvalid;BadRequest"`},
		{"no query", `{}`, nil, "ArgumentNull", `"ErrorCode:ArgumentNull;BadRequest"`},
		{"query is null", `{"query":null}`, nil, "ArgumentNull", ""},
		{"no JSON", `SELECT`, nil, "IotHubFormatError", ""},
		{"page size 0", `{"query":"SELECT * FROM devices"}`, []string{"x-ms-max-item-count", "0"}, "ArgumentInvalid", ""},
		{"page size a word", `{"query":"SELECT * FROM devices"}`, []string{"x-ms-max-item-count", "all"}, "ArgumentInvalid", ""},
		{"token of another query", `{"query":"SELECT * FROM  devices"}`, []string{"x-ms-continuation", token}, "ArgumentInvalid", ""},
		{"token made up", `{"query":"SELECT * FROM devices"}`, []string{"x-ms-continuation", "AAAA"}, "ArgumentInvalid", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c.do("POST", "/devices/query", test.body, test.header...).want(400, test.code).contains(test.text)
		})
	}
	again := func() string {
		return c.ask("SELECT * FROM devices", "x-ms-max-item-count", "2", "x-ms-continuation", token).want(200, "").body
	}
	if one, two := again(), again(); one != two || one == first.body {
		t.Error("a token stands for one page, also the second time")
	}
}

// TestOldTokensAreForgotten begins more queries than are kept.
func TestOldTokensAreForgotten(t *testing.T) {
	e := start(t, &emulator.Options{Twins: numbered(3)})
	c := connect(t, e, 0)
	begin := func() string {
		return c.ask("SELECT * FROM devices", "x-ms-max-item-count", "1").header.Get("x-ms-continuation")
	}
	resume := func(token string) *response {
		return c.ask("SELECT * FROM devices", "x-ms-continuation", token)
	}
	oldest := begin()
	for range 63 {
		begin()
	}
	resume(oldest).want(200, "")
	latest := begin()
	resume(oldest).want(400, "ArgumentInvalid")
	resume(latest).want(200, "")
}

func TestRegistry(t *testing.T) {
	e := start(t, &emulator.Options{Seed: 1, Twins: fleet(
		`{"deviceId":"d1","deviceEtag":"MzQz","connectionState":"Connected"}`, `{"deviceId":"d2","status":"disabled","statusReason":"lost"}`,
		`{"deviceId":"d2","moduleId":"m"}`)})
	c := connect(t, e, 0)
	if got, want := c.do("GET", "/statistics/devices", "").body, `{"totalDeviceCount":2,"enabledDeviceCount":1,"disabledDeviceCount":1}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := c.do("GET", "/statistics/service", "").body, `{"connectedDeviceCount":1}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	r := c.do("GET", "/devices/d1", "").want(200, "").
		contains(`{"deviceId":"d1","generationId":"6`).contains(`"statusReason":null`).contains(`"type":"sas"`)
	if got := r.header.Get("ETag"); got != `"MzQz"` {
		t.Errorf("got ETag %s", got)
	}
	c.do("GET", "/devices/d2", "").want(200, "").contains(`"status":"disabled","statusReason":"lost"`)
	c.do("GET", "/devices/d3", "").want(404, "DeviceNotFound")
}
