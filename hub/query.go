package hub

import (
	"bytes"
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
			p := page[json.RawMessage]{continuation: q.Continuation}
			if before != nil {
				p.continuation, p.empty = before.Continuation, before.empty
			}
			p, err := nextPage(ctx, c.client, queryRequest(query, q.PageSize), p, anyRow)
			return RegistryClientQueryResponse{p.rows, p.itemType, p.continuation, p.empty}, err
		},
		Tracer: c.client.internal.Tracer(),
	})
}

// Rows returns the rows of [RegistryClient.NewQueryPager] one by one. It ends
// after the first error.
func (c *RegistryClient) Rows(ctx context.Context, query string, o *RegistryClientQueryOptions) iter.Seq2[json.RawMessage, error] {
	return rows(ctx, c.NewQueryPager(query, o), func(p RegistryClientQueryResponse) []json.RawMessage { return p.Rows })
}

func queryRequest(query string, size int) request {
	return request{
		op: queryTwins, method: http.MethodPost, path: []string{"devices", "query"},
		header: http.Header{"X-Ms-Max-Item-Count": {strconv.Itoa(size)}},
		body:   twin.Encode(map[string]any{"query": query}),
	}
}

// A page is a page of rows that were read as T.
type page[T any] struct {
	rows         []T
	itemType     string
	continuation string // of the next page; "" on the last
	number       int
	empty        int // pages without rows up to this one
}

// A rowKind says which rows are wanted and how one is read. The bytes of a row
// are gone afterwards.
type rowKind[T any] struct {
	itemType string // "" for any
	parse    func(row []byte) (T, error)
}

var (
	anyRow  = rowKind[json.RawMessage]{parse: parseRow}
	twinRow = rowKind[*twin.Twin]{itemType: "Twin", parse: func(row []byte) (*twin.Twin, error) { return twin.Parse(bytes.Clone(row)) }}
)

func parseRow(row []byte) (json.RawMessage, error) {
	if !json.Valid(row) {
		return nil, errors.New("it is not JSON")
	}
	return bytes.Clone(row), nil
}

// nextPage sends r for the page after before.
func nextPage[T any](ctx context.Context, c *Client, r request, before page[T], kind rowKind[T]) (out page[T], err error) {
	if before.continuation != "" {
		r.header.Set("x-ms-continuation", before.continuation)
	}
	a, err := c.do(ctx, r)
	if err != nil {
		return out, err
	}
	defer c.free(a)
	out.itemType, out.continuation, out.number = a.header.Get("x-ms-item-type"), a.header.Get("x-ms-continuation"), before.number+1
	if kind.itemType != "" && out.itemType != "" && !strings.EqualFold(kind.itemType, out.itemType) {
		return out, c.failure(r, fmt.Errorf("its rows are %s, not %ss", clean(out.itemType), strings.ToLower(kind.itemType)))
	}
	if err := out.read(a, kind); err != nil {
		return out, c.bad(r, err)
	}
	if len(out.rows) == 0 {
		out.empty = before.empty + 1
	}
	if out.empty > maxEmptyPages {
		return out, c.bad(r, fmt.Errorf("%d empty pages, and there are said to be more", maxEmptyPages))
	}
	return out, nil
}

func (p *page[T]) read(a *answer, kind rowKind[T]) error {
	parts, err := a.array()
	if err != nil {
		return err
	}
	p.rows = make([]T, len(parts))
	for i, part := range parts {
		if p.rows[i], err = kind.parse(part); err != nil {
			return fmt.Errorf("page %d, row %d: %w", p.number, i+1, err)
		}
	}
	return nil
}

// array returns the elements of an answer that is a JSON array. They are part of
// the answer.
func (a *answer) array() ([][]byte, error) {
	if err := a.checkJSON(); err != nil {
		return nil, err
	}
	return split(a.body)
}

// Twins returns the twins that the hub's index gives for query, a SELECT *, in
// the hub's order. It ends after the first error. See [RegistryClient.NewQueryPager]
// for what an index is worth: read a twin with [Client.Twin], or write with its
// ETag, before relying on it.
func (c *Client) Twins(ctx context.Context, query string) iter.Seq2[*twin.Twin, error] {
	return func(yield func(*twin.Twin, error) bool) {
		p := page[*twin.Twin]{}
		for p.number == 0 || p.continuation != "" {
			var err error
			if p, err = nextPage(ctx, c, queryRequest(query, c.pageSize), p, twinRow); err != nil {
				yield(nil, err)
				return
			}
			for _, t := range p.rows {
				if !yield(t, nil) {
					return
				}
			}
		}
	}
}
