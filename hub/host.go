package hub

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// suffixes are the domains of hubs in the public, US Government and China clouds.
func suffixes() []string {
	return []string{".azure-devices.net", ".azure-devices.us", ".azure-devices.cn"}
}

// checkHost returns host in small letters if it is a hub's name, a loopback
// address or one of allowed, each with or without a port. A token is worth as
// much as a password, so it is not sent to whatever a file happens to name.
func checkHost(host string, allowed []string) (string, error) {
	host = strings.ToLower(strings.TrimSpace(host))
	u, err := url.Parse("https://" + host)
	if err != nil || host == "" || u.Host != host || u.Hostname() == "" {
		return "", fmt.Errorf("%q is no host name; it looks like contoso.azure-devices.net", host)
	}
	name := u.Hostname()
	if !isHub(name) && !isLoopback(name) && !slices.Contains(allowed, name) {
		return "", fmt.Errorf("%q is no IoT Hub: its name should end in %s", name, strings.Join(suffixes(), ", "))
	}
	return host, nil
}

func isHub(name string) bool {
	return slices.ContainsFunc(suffixes(), func(suffix string) bool {
		return strings.HasSuffix(name, suffix) && len(name) > len(suffix) && name[0] != '.'
	})
}

func isLoopback(name string) bool {
	return name == "localhost" || net.ParseIP(name).IsLoopback()
}
