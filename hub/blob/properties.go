package blob

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Properties are what a storage account says of a blob without showing it.
type Properties struct {
	Size     int64
	Modified time.Time // in whole seconds, by the account's clock
}

// Properties asks for those of a blob. It fails with [ErrNotFound] when there is
// none.
func (c *Container) Properties(ctx context.Context, name string) (p Properties, err error) {
	req, err := c.request(ctx, http.MethodHead, name)
	if err != nil {
		return p, fmt.Errorf("look at blob %s: %w", name, err)
	}
	resp, err := c.internal.Pipeline().Do(req)
	if err := c.outcome("look at", name, resp, err, http.StatusOK); err != nil {
		return p, err
	}
	p.Size = resp.ContentLength
	p.Modified, err = http.ParseTime(resp.Header.Get("Last-Modified"))
	if err != nil || p.Size < 0 {
		return p, fmt.Errorf("look at blob %s: %w", name, errors.New("the answer does not say how long and how old it is"))
	}
	return p, nil
}
