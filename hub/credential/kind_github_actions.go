package credential

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// federationAudience is whom a token must be for that Entra takes from others.
const federationAudience = "api://AzureADTokenExchange"

// GitHubActions signs in as the application that trusts the repository. Each
// token is asked for with a new one of GitHub's, so it outlives long jobs, which
// a sign-in of az at their start does not.
var GitHubActions = &Kind{
	Name: "github-actions",
	Doc:  "the application that trusts this repository, in a job with id-token: write",
	build: func(b *builder) (azcore.TokenCredential, error) {
		tenant, client := b.tenant(), b.client()
		place := env(b.lookup, "ACTIONS_ID_TOKEN_REQUEST_URL")
		right := NewSecret(env(b.lookup, "ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
		if place == "" || right.Reveal() == "" {
			b.miss("the right to ask for the job's tokens", "give the job permissions: id-token: write")
		}
		if len(b.missing.Items) > 0 {
			return nil, nil
		}
		ask, err := newTokenRequest(b.options.client.Transport, place, right)
		if err != nil {
			return nil, err
		}
		return azidentity.NewClientAssertionCredential(tenant, client, ask, &azidentity.ClientAssertionCredentialOptions{
			ClientOptions:            b.options.client,
			DisableInstanceDiscovery: b.options.private,
		})
	},
}

// newTokenRequest returns a function that asks GitHub for a token of the job.
func newTokenRequest(transport policy.Transporter, place string, right Secret) (func(context.Context) (string, error), error) {
	u, err := url.Parse(place)
	if err != nil || u.Scheme != "https" {
		return nil, fmt.Errorf("ACTIONS_ID_TOKEN_REQUEST_URL is not a URL with https")
	}
	query := u.Query()
	query.Set("audience", federationAudience)
	u.RawQuery = query.Encode()
	return func(ctx context.Context) (string, error) {
		token, err := requestToken(ctx, transport, u.String(), right)
		if err != nil {
			return "", fmt.Errorf("ask GitHub for the job's token: %w", err)
		}
		return token, nil
	}, nil
}

func requestToken(ctx context.Context, transport policy.Transporter, place string, right Secret) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, place, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+right.Reveal())
	resp, err := transport.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("it answered %s", resp.Status)
	}
	var said struct {
		Value string `json:"value"`
	}
	if err := json.Unmarshal(data, &said); err != nil || said.Value == "" {
		return "", fmt.Errorf("there is no token in its answer")
	}
	return said.Value, nil
}
