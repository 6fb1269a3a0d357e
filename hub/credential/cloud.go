package credential

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
)

// A Cloud is one of Microsoft's, each with an authority and a domain of hubs of
// its own. Tokens for IoT Hub are asked for by the same name in all of them: a
// US Government audience was in Microsoft's SDKs in 2021 and was taken back,
// because the service does not want it.
type Cloud struct {
	Name      string
	Domain    string // that the names of its hubs end in
	Authority string
	hosts     []string // that its authority answers to
}

// Clouds lists them, the public one first.
var Clouds = []*Cloud{
	{"public", ".azure-devices.net", "https://login.microsoftonline.com/", []string{"login.microsoftonline.com"}},
	{"usgov", ".azure-devices.us", "https://login.microsoftonline.us/", []string{"login.microsoftonline.us"}},
	{"china", ".azure-devices.cn", "https://login.chinacloudapi.cn/", []string{"login.chinacloudapi.cn", "login.partner.microsoftonline.cn"}},
}

// CloudOf returns the cloud that the hub of this name is in, the public one
// when its name does not tell.
func CloudOf(host string) *Cloud {
	name, _, _ := strings.Cut(strings.ToLower(host), ":")
	for _, c := range Clouds {
		if strings.HasSuffix(name, c.Domain) {
			return c
		}
	}
	return Clouds[0]
}

// cloud returns the one that c names or its hub is in.
func (c *Config) cloud() (*Cloud, error) {
	if c.Cloud == "" {
		return CloudOf(c.Host), nil
	}
	i := slices.IndexFunc(Clouds, func(known *Cloud) bool { return known.Name == c.Cloud })
	if i < 0 {
		var names []string
		for _, known := range Clouds {
			names = append(names, known.Name)
		}
		return nil, fmt.Errorf("no cloud %q; there are %s", c.Cloud, strings.Join(names, ", "))
	}
	return Clouds[i], nil
}

// authority returns where to sign in, and whether that is none of Microsoft's.
func (c *Config) authority(lookup func(string) (string, bool)) (_ cloud.Configuration, private bool, _ error) {
	place := c.Authority
	if place == "" && c.Cloud == "" {
		place = env(lookup, "AZURE_AUTHORITY_HOST")
	}
	if place == "" {
		known, err := c.cloud()
		if err != nil {
			return cloud.Configuration{}, false, err
		}
		place = known.Authority
	}
	u, err := url.Parse(place)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return cloud.Configuration{}, false, fmt.Errorf("the authority %q is not a URL with https", place)
	}
	return cloud.Configuration{
		ActiveDirectoryAuthorityHost: place, Services: map[cloud.ServiceName]cloud.ServiceConfiguration{},
	}, !microsoft(u.Host), nil
}

// microsoft reports whether host is an authority of Microsoft's.
func microsoft(host string) bool {
	return slices.ContainsFunc(Clouds, func(c *Cloud) bool { return slices.Contains(c.hosts, host) })
}
