package emulator

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"
)

// A right is what a job needs on a container, as the letter of a signature's sp.
type right struct {
	letter string
	text   string // of the refusal, of which those to write and delete were seen
}

var (
	outputRights = []right{{"w", "write to output"}, {"d", "delete from output"}, {"r", "read from output"}, {"l", "list output"}}
	inputRights  = []right{{"r", "read from input"}, {"l", "list input"}}
)

// checkContainers refuses a job whose containers the hub may not use, which a
// hub says at once.
func (h *hub) checkContainers(ctx context.Context, t *transfer, now time.Time) error {
	if err := h.checkContainer(ctx, t, t.Output, outputRights, now); err != nil || t.Kind == "export" {
		return err
	}
	return h.checkContainer(ctx, t, t.Input, inputRights, now)
}

// checkContainer looks for a signature that is good for rights when keys are
// used, for none when the hub's identity is, and for the container itself.
func (h *hub) checkContainer(ctx context.Context, t *transfer, uri string, rights []right, now time.Time) error {
	u, err := url.Parse(uri)
	if err != nil {
		return unauthorizedTo(rights[0])
	}
	signature := u.Query()
	if (signature.Get("sig") != "") != (t.Auth == "keyBased") || hasExpired(signature, now) {
		return unauthorizedTo(rights[0])
	}
	for _, r := range rights {
		if signature.Has("sp") && !strings.Contains(signature.Get("sp"), r.letter) {
			return unauthorizedTo(r)
		}
	}
	container, err := h.container(ctx, t, uri)
	if checked, ok := container.(CheckedContainer); ok && err == nil {
		err = checked.Check(ctx, rights[0].letter == "w")
	}
	if err != nil {
		return unauthorizedTo(rights[0])
	}
	return nil
}

// container opens one of the containers of t.
func (h *hub) container(ctx context.Context, t *transfer, uri string) (Container, error) {
	if h.open == nil {
		return nil, errors.New("the hub may use no container")
	}
	return h.open(ctx, &ContainerAddress{URI: uri, Identity: t.Identity, Token: func() (string, time.Time) {
		return h.storage.token(t.Identity)
	}})
}

func unauthorizedTo(r right) error {
	return refuse("BlobContainerValidationError", "Unauthorized to %s blob container", r.text)
}

// hasExpired reports whether a signature says that its time is over.
func hasExpired(signature url.Values, now time.Time) bool {
	expiry, err := time.Parse(time.RFC3339, signature.Get("se"))
	return err == nil && !now.Before(expiry)
}
