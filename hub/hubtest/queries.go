package hubtest

import (
	"slices"
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
}

// every returns each n-th of ids from the one at first.
func every(ids []string, n, first int) (out []string) {
	for i := first; i < len(ids); i += n {
		out = append(out, ids[i])
	}
	return out
}
