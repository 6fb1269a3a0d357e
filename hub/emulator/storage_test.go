package emulator_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/twinrules/twinrules/hub/emulator"
)

// TestWhoGoesToStorage looks at the tokens that the hub has for its containers: the
// authority's, for storage alone, of one identity or another, and the same ones for
// the same seed.
func TestWhoGoesToStorage(t *testing.T) {
	first, second := visitors(t), visitors(t)
	if len(first) != 2 || first[0] == first[1] || !slices.Equal(first, second) {
		t.Errorf("got %q, then %q", first, second)
	}
}

// visitors lets a hub export as itself and as an identity of the user's, and
// returns whom the tokens name.
func visitors(t *testing.T) (list []string) {
	t.Helper()
	clock := newClock()
	var at []*emulator.ContainerAddress
	e := start(t, &emulator.Options{Now: clock.now, Seed: 7, Containers: func(_ context.Context, a *emulator.ContainerAddress) (emulator.Container, error) {
		at = append(at, a)
		return nil, errors.New("closed")
	}})
	c := connect(t, e, 0)
	for _, identity := range []string{"", `,"identity":{"userAssignedIdentity":"/subscriptions/s/mine"}`} {
		c.do("POST", "/jobs/create", `{"type":"export","outputBlobContainerUri":"`+container+`","storageAuthenticationType":"identityBased"`+identity+`}`).
			want(400, "BlobContainerValidationError")
	}
	if at[0].URI != container || at[0].Identity != "" || at[1].Identity != "/subscriptions/s/mine" {
		t.Errorf("got %+v and %+v", at[0], at[1])
	}
	for _, a := range at {
		token, expires := a.Token()
		claims := jwt.MapClaims{}
		if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil {
			t.Fatal(err)
		}
		if claims["aud"] != "https://storage.azure.com" || claims["tid"] != e.Tenant() || !expires.Equal(clock.now().Add(time.Hour)) {
			t.Errorf("got %v until %s", claims, expires)
		}
		list = append(list, fmt.Sprint(claims["oid"]))
		c.token = token
		c.do("GET", "/twins/d1", "").want(401, "IotHubUnauthorizedAccess") // it is for storage
	}
	return list
}

// TestContainersAreLookedAt refuses a job at once when its container can say that
// the hub may not use it, for writing before reading.
func TestContainersAreLookedAt(t *testing.T) {
	var asked []string
	e := start(t, &emulator.Options{Containers: func(_ context.Context, a *emulator.ContainerAddress) (emulator.Container, error) {
		return &wary{uri: a.URI, asked: &asked}, nil
	}})
	c := connect(t, e, 0)
	c.do("POST", "/jobs/create", `{"type":"export","outputBlobContainerUri":"https://a/readonly?sig=x"}`).
		want(400, "BlobContainerValidationError").contains("Unauthorized to write to output blob container")
	c.do("POST", "/jobs/create", `{"type":"import","outputBlobContainerUri":"https://a/open?sig=x","inputBlobContainerUri":"https://a/closed?sig=x"}`).
		want(400, "BlobContainerValidationError").contains("Unauthorized to read from input blob container")
	if want := []string{"readonly write true", "open write true", "closed write false"}; !slices.Equal(asked, want) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
}

// A wary container knows by its name who may do what.
type wary struct {
	emulator.Container
	uri   string
	asked *[]string
}

func (w *wary) Check(_ context.Context, write bool) error {
	name, _, _ := strings.Cut(strings.TrimPrefix(w.uri, "https://a/"), "?")
	*w.asked = append(*w.asked, fmt.Sprint(name, " write ", write))
	if name == "closed" || name == "readonly" && write {
		return errors.New("no role")
	}
	return nil
}
