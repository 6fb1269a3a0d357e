package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/twinrules/twinrules/hub/twin"
)

// RegistryClientQueryOptions holds the optional settings of NewQueryPager.
type RegistryClientQueryOptions struct {
	PageSize     int    // rows wanted in a page; 0 means the client's
	Continuation string // of the page before, to go on where another pager stopped
}

// RegistryClientQueryResponse is a page of rows.
type RegistryClientQueryResponse struct {
	Rows         []json.RawMessage // twins, or objects of columns
	ItemType     string            // "Twin", "Raw" or "DeviceJob"
	Continuation string            // of the next page; "" on the last

	empty int // pages without rows up to this one
}

// maxEmptyPages bounds how many pages in a row may be empty and yet promise
// more, so that a hub in a loop does not hold us in it.
const maxEmptyPages = 1000

// NewQueryPager returns the rows of a query page by page, following the hub's
// continuations until there is none. The hub answers from an index that lags:
// rows may be old, missing, or there twice, and devices deleted minutes ago.
func (c *RegistryClient) NewQueryPager(query string, o *RegistryClientQueryOptions) *runtime.Pager[RegistryClientQueryResponse] {
	q := RegistryClientQueryOptions{}
	if o != nil {
		q = *o
	}
	if q.PageSize == 0 {
		q.PageSize = c.client.pageSize
	}
	return runtime.NewPager(runtime.PagingHandler[RegistryClientQueryResponse]{
		More: func(page RegistryClientQueryResponse) bool { return page.Continuation != "" },
		Fetcher: func(ctx context.Context, before *RegistryClientQueryResponse) (RegistryClientQueryResponse, error) {
			if before == nil {
				before = &RegistryClientQueryResponse{Continuation: q.Continuation}
			}
			return c.page(ctx, query, q.PageSize, before)
		},
		Tracer: c.client.internal.Tracer(),
	})
}

// page fetches the page after before.
func (c *RegistryClient) page(ctx context.Context, query string, size int, before *RegistryClientQueryResponse) (page RegistryClientQueryResponse, err error) {
	r := request{
		op: queryTwins, method: http.MethodPost, path: []string{"devices", "query"},
		header: http.Header{"X-Ms-Max-Item-Count": {strconv.Itoa(size)}},
		body:   twin.Encode(map[string]any{"query": query}),
	}
	if before.Continuation != "" {
		r.header.Set("x-ms-continuation", before.Continuation)
	}
	a, err := c.client.do(ctx, r)
	if err != nil {
		return page, err
	}
	page.ItemType, page.Continuation = a.header.Get("x-ms-item-type"), a.header.Get("x-ms-continuation")
	if page.Rows, err = a.array(); err != nil {
		return page, c.client.bad(r, err)
	}
	if len(page.Rows) == 0 {
		page.empty = before.empty + 1
	}
	if page.empty > maxEmptyPages {
		return page, c.client.bad(r, fmt.Errorf("%d empty pages, and there are said to be more", maxEmptyPages))
	}
	return page, nil
}

// array splits an answer that is a JSON array.
func (a *answer) array() (rows []json.RawMessage, err error) {
	if err := a.checkJSON(); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(a.body, &rows); err != nil {
		return nil, err
	}
	if rows == nil {
		return nil, errors.New("it is null, not an array")
	}
	return rows, nil
}

// Twins returns the twins that the hub's index gives for query, a SELECT *, in
// the hub's order. It ends after the first error. See [RegistryClient.NewQueryPager]
// for what an index is worth: read a twin with [Client.Twin], or write with its
// ETag, before relying on it.
func (c *Client) Twins(ctx context.Context, query string) iter.Seq2[*twin.Twin, error] {
	return func(yield func(*twin.Twin, error) bool) {
		number := 0
		for pager := c.NewRegistryClient().NewQueryPager(query, nil); pager.More(); {
			page, err := pager.NextPage(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			number++
			for t, err := range c.twinsOf(page, number) {
				if !yield(t, err) || err != nil {
					return
				}
			}
		}
	}
}

// twinsOf reads the twins of the page of that number.
func (c *Client) twinsOf(page RegistryClientQueryResponse, number int) iter.Seq2[*twin.Twin, error] {
	return func(yield func(*twin.Twin, error) bool) {
		if page.ItemType != "" && !strings.EqualFold(page.ItemType, "Twin") {
			yield(nil, c.failure(request{op: queryTwins}, fmt.Errorf("its rows are %s, not twins", clean(page.ItemType))))
			return
		}
		for i, row := range page.Rows {
			t, err := twin.Parse(row)
			if err != nil {
				yield(nil, c.bad(request{op: queryTwins}, fmt.Errorf("page %d, row %d: %w", number, i+1, err)))
				return
			}
			if !yield(t, nil) {
				return
			}
		}
	}
}
