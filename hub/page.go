package hub

import (
	"context"
	"fmt"
	"iter"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// onePage returns a pager of what the hub answers in one piece.
func onePage[P any](c *Client, fetch func(context.Context) (P, error)) *runtime.Pager[P] {
	return runtime.NewPager(runtime.PagingHandler[P]{
		More:    func(P) bool { return false },
		Fetcher: func(ctx context.Context, _ *P) (P, error) { return fetch(ctx) },
		Tracer:  c.internal.Tracer(),
	})
}

// rows returns what is on the pages of a pager, one by one. It ends after the
// first error.
func rows[P, T any](ctx context.Context, pager *runtime.Pager[P], of func(P) []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for pager.More() {
			page, err := pager.NextPage(ctx)
			if err != nil {
				yield(*new(T), err)
				return
			}
			for _, row := range of(page) {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// list sends a request whose answer is an array and reads its rows.
func list[T any](ctx context.Context, c *Client, r request, parse func([]byte) (T, error)) ([]T, error) {
	a, err := c.do(ctx, r)
	if err != nil {
		return nil, err
	}
	defer c.free(a)
	parts, err := a.array()
	if err != nil {
		return nil, c.bad(r, err)
	}
	out := make([]T, 0, len(parts))
	for i, part := range parts {
		row, err := parse(part)
		if err != nil {
			return nil, c.bad(r, fmt.Errorf("row %d: %w", i+1, err))
		}
		out = append(out, row)
	}
	return out, nil
}
