package blob

import (
	"context"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Credential returns one whose tokens come from get with the time when they
// expire, whatever they are asked for. It is for those who have no type of the
// Azure SDK to sign in with, such as an emulated hub.
func Credential(get func() (string, time.Time)) azcore.TokenCredential { return getter(get) }

type getter func() (string, time.Time)

// GetToken is part of [azcore.TokenCredential].
func (g getter) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, expires := g()
	return azcore.AccessToken{Token: token, ExpiresOn: expires}, nil
}
