package hubtest

import (
	"slices"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/twin"
)

// mine returns a condition for the hub's devices that are meant for the cases.
func (t *T) mine() string {
	quoted := make([]string, len(t.Devices))
	for i, id := range t.Devices {
		quoted[i] = `'` + strings.ReplaceAll(id, `'`, `\'`) + `'`
	}
	return "deviceId IN [" + strings.Join(quoted, ", ") + "]"
}

// ids runs a query and returns the device ids in order.
func (t *T) ids(query string) (ids []string) {
	t.Helper()
	for tw, err := range t.Client.Twins(t.Context(), query) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, tw.Ref.Device)
	}
	slices.Sort(ids)
	return ids
}

func (t *T) wantIDs(query string, want []string) {
	t.Helper()
	if got := t.ids(query); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("%s: got %q, want %q", query, got, want)
	}
}

// rows reads pager to its end and returns its rows, and the continuations on the way.
func (t *T) rows(pager *runtime.Pager[hub.RegistryClientQueryResponse]) (rows, continuations []string) {
	t.Helper()
	for pager.More() {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range page.Rows {
			rows = append(rows, string(row))
		}
		continuations = append(continuations, page.Continuation)
	}
	return rows, continuations
}

// queryCases are about what a query gives.
var queryCases = []*Case{
	{
		Name:  "a query gives whole twins",
		About: "Query_GetTwins", Evidence: "REC",
		Run: func(t *T) {
			ref := t.device()
			t.patch(ref, `{"a":1.0}`, `{"b":2}`)
			t.settled()
			for tw, err := range t.Client.Twins(t.Context(), "SELECT * FROM devices WHERE "+t.mine()) {
				if err != nil {
					t.Fatal(err)
				}
				if now := t.read(tw.Ref); tw.Ref == ref && (tw.ETag != now.ETag || tw.Version != now.Version || !twin.Equal(tw.Desired(), now.Desired())) {
					t.Errorf("queried %s\nread    %s", tw.JSON(), now.JSON())
				}
			}
			t.wantIDs("SELECT * FROM devices WHERE "+t.mine(), t.Devices)
		},
	},
	{
		Name:  "pages add up",
		About: "Query_GetTwins", Evidence: "REC; INT (Java): a page's continuation is a header, the last has none",
		Run: func(t *T) {
			t.settled()
			pager := t.Client.NewRegistryClient().NewQueryPager("SELECT * FROM devices WHERE "+t.mine(), &hub.RegistryClientQueryOptions{PageSize: 1})
			rows, continuations := t.rows(pager)
			if len(rows) != len(t.Devices) || len(continuations) < len(rows) {
				t.Errorf("got %d rows in %d pages of one", len(rows), len(continuations))
			}
		},
	},
	{
		Name:  "a query goes on from a continuation",
		About: "Query_GetTwins", Evidence: "INT (Java)",
		Run: func(t *T) {
			t.settled()
			query := "SELECT * FROM devices WHERE " + t.mine()
			c := t.Client.NewRegistryClient()
			all, continuations := t.rows(c.NewQueryPager(query, &hub.RegistryClientQueryOptions{PageSize: 1}))
			rest, _ := t.rows(c.NewQueryPager(query, &hub.RegistryClientQueryOptions{PageSize: 1, Continuation: continuations[0]}))
			if !slices.Equal(rest, all[len(all)-len(rest):]) || len(rest) == 0 || len(rest) == len(all) {
				t.Errorf("after the first page %d of %d rows came", len(rest), len(all))
			}
		},
	},
	{
		Name:  "conditions select",
		About: "Query_GetTwins", Evidence: "DOC; INT (Java, C#)",
		Run: func(t *T) {
			for i, id := range t.Devices {
				t.patch(t.emptied(id), `{"n":`+string('0'+rune(i%3))+`,"odd":{"group":"x"}}`, "")
			}
			t.settled()
			t.wantIDs("SELECT * FROM devices WHERE tags.n = 0 AND "+t.mine(), every(t.Devices, 3, 0))
			t.wantIDs("SELECT * FROM devices WHERE (tags.n = 1) AND IS_DEFINED(tags.odd.[[group]]) AND "+t.mine(), every(t.Devices, 3, 1))
			t.wantIDs("SELECT * FROM devices WHERE (NOT IS_DEFINED(tags.n)) AND "+t.mine(), nil)
			t.wantIDs("SELECT * FROM devices WHERE tags.missing = 1 AND "+t.mine(), nil)
		},
	},
	{
		Name:  "columns make rows",
		About: "Query_GetTwins", Evidence: "REC; SDK",
		Run: func(t *T) {
			t.settled()
			pager := t.Client.NewRegistryClient().NewQueryPager("SELECT deviceId AS id FROM devices WHERE "+t.mine(), nil)
			page, err := pager.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if page.ItemType != "Raw" || len(page.Rows) == 0 || !strings.HasPrefix(string(page.Rows[0]), `{"id":"`) {
				t.Errorf("got %s rows, %s", page.ItemType, page.Rows)
			}
			for _, err := range t.Client.Twins(t.Context(), "SELECT deviceId FROM devices") {
				if err == nil {
					t.Error("rows of columns passed for twins")
				}
			}
		},
	},
	{
		Name:  "modules have a collection of their own",
		About: "Query_GetTwins", Evidence: "DOC; REC",
		Run: func(t *T) {
			t.settled()
			found := false
			for tw, err := range t.Client.Twins(t.Context(), "SELECT * FROM devices.modules") {
				if err != nil {
					t.Fatal(err)
				}
				found = found || tw.Ref == t.Module
			}
			if !found {
				t.Errorf("%s is not among them", t.Module)
			}
		},
	},
	{
		Name:  "columns are called as their last key or their alias",
		About: "Query_GetTwins", Evidence: "REC; SDK: SELECT DeviceID gives deviceId",
		Run: func(t *T) {
			ref := t.device()
			t.patch(ref, `{"a":{"b":1.0}}`, "")
			t.settled()
			t.wantRows("SELECT DeviceID, tags.a.b, tags.a.b AS x, tags.missing FROM devices WHERE "+t.only(ref), `{"deviceId":"`+ref.Device+`","b":1.0,"x":1.0}`)
		},
	},
	{
		Name:  "names at the root may be written in any case",
		About: "Query_GetTwins", Evidence: "INT (Java): DeviceId IN […]",
		Run: func(t *T) {
			t.settled()
			t.wantIDs("select * from DEVICES where DeviceId IN ['"+t.Devices[0]+"']", t.Devices[:1])
		},
	},
	{
		Name:  "keys with hyphens are names",
		About: "Query_GetTwins", Evidence: "INT (Java): properties.desired.KeyQuery<uuid>",
		Run: func(t *T) {
			ref := t.device()
			t.patch(ref, "", `{"Key-1a-b":7}`)
			t.settled()
			t.wantRows("SELECT properties.desired.Key-1a-b AS v, count() AS n FROM devices WHERE "+t.only(ref)+" GROUP BY properties.desired.Key-1a-b", `{"v":7,"n":1}`)
		},
	},
	{
		Name:  "devices are counted by groups",
		About: "Query_GetTwins", Evidence: "DOC",
		Run: func(t *T) {
			for i, id := range t.Devices {
				t.patch(t.emptied(id), `{"counted":`+string('0'+rune(i%2))+`}`, "")
			}
			t.settled()
			t.wantRows("SELECT count() AS n FROM devices WHERE IS_DEFINED(tags.counted) AND "+t.mine(), `{"n":`+strconv.Itoa(len(t.Devices))+`}`)
		},
	},
	{
		Name:  "the collection may stand before a path",
		About: "Query_GetTwins", Evidence: "SDK; DOC: devices.tags.x",
		Run: func(t *T) {
			ref := t.device()
			t.patch(ref, `{"whole":1}`, "")
			t.settled()
			t.wantIDs("SELECT * FROM devices WHERE devices.tags.whole = 1 AND "+t.mine(), []string{ref.Device})
		},
	},
	{
		Name:  "functions of other services are refused",
		About: "Query_GetTwins", Evidence: "DOC; LIVE: STARTS_WITH, as reported of azure-docs (110329)",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			for _, f := range []string{"STARTS_WITH(deviceId, 'a')", "LOWER(deviceId) = 'a'", "ABS(tags.a) = 1"} {
				t.wantRefusal(t.raw("POST", "/devices/query", nil, `{"query":"SELECT * FROM devices WHERE `+f+`"}`), 400, "ArgumentInvalid")
			}
		},
	},
	{
		Name:  "there is no order and no offset",
		About: "Query_GetTwins", Evidence: "DOC: not in the grammar",
		Run: func(t *T) {
			t.need(t.Raw != nil, "requests of any kind")
			for _, end := range []string{"ORDER BY deviceId", "OFFSET 1"} {
				t.wantRefusal(t.raw("POST", "/devices/query", nil, `{"query":"SELECT * FROM devices `+end+`"}`), 400, "ArgumentInvalid")
			}
		},
	},
	{
		Name:  "rows of modules say what they can",
		About: "Query_GetTwins Modules_GetTwin", Evidence: "REC: capabilities, which the twin itself does not show",
		Run: func(t *T) {
			t.settled()
			if _, shown := t.document(t.read(t.Module))["capabilities"]; shown {
				t.Error("the twin of a module shows capabilities")
			}
			for row, err := range t.Client.NewRegistryClient().Rows(t.Context(), "SELECT * FROM devices.modules WHERE moduleId = '"+t.Module.Module+"'", nil) {
				t.ok(err)
				if o := t.object(string(row)); o["deviceId"] == t.Module.Device && o["capabilities"] == nil {
					t.Errorf("got %s", row)
				}
			}
		},
	},
}

// only returns a condition for one device.
func (t *T) only(ref twin.Ref) string { return "deviceId = '" + ref.Device + "'" }

// wantRows compares the rows of a query with JSON texts.
func (t *T) wantRows(query string, want ...string) {
	t.Helper()
	var got []any
	for row, err := range t.Client.NewRegistryClient().Rows(t.Context(), query, nil) {
		t.ok(err)
		got = append(got, t.object(string(row)))
	}
	var wanted []any
	for _, text := range want {
		wanted = append(wanted, t.object(text))
	}
	if !twin.Equal(got, wanted) {
		t.Errorf("%s: got %s, want %s", query, twin.Encode(got), want)
	}
}

// every returns each n-th of ids from the one at first.
func every(ids []string, n, first int) (out []string) {
	for i := first; i < len(ids); i += n {
		out = append(out, ids[i])
	}
	return out
}
