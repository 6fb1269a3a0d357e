package hub

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// A sharedKey is a shared access policy of a hub.
type sharedKey struct {
	host, policy string
	key          Key
}

// parseConnectionString reads what the portal hands out for a policy. Its errors
// hold nothing of it.
func parseConnectionString(s string) (k sharedKey, err error) {
	fields := map[string]string{}
	for part := range strings.SplitSeq(strings.TrimSpace(s), ";") {
		if part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := fields[name]; twice || !ok {
			return k, errors.New("the connection string is not a list of Name=Value, each once, with ; between them")
		}
		fields[name] = strings.TrimSpace(value)
	}
	if _, device := fields["deviceid"]; device {
		return k, errors.New("the connection string is a device's; a service needs one of a shared access policy, with SharedAccessKeyName")
	}
	var missing []string
	for _, name := range []string{"HostName", "SharedAccessKeyName", "SharedAccessKey"} {
		if fields[strings.ToLower(name)] == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return k, fmt.Errorf("the connection string lacks %s", strings.Join(missing, ", "))
	}
	if raw, err := base64.StdEncoding.DecodeString(fields["sharedaccesskey"]); err != nil || len(raw) == 0 {
		return k, errors.New("the SharedAccessKey of the connection string is not base64")
	}
	return sharedKey{fields["hostname"], fields["sharedaccesskeyname"], NewKey(fields["sharedaccesskey"])}, nil
}

// NewClientFromConnectionString is [NewClient] for a shared access policy, such as
// the portal's iothubowner. Prefer Microsoft Entra: a policy's key lives long, is
// good for the whole hub and tells nobody who used it, and hubs can be set to
// refuse it.
func NewClientFromConnectionString(connectionString string, opts *ClientOptions) (*Client, error) {
	key, err := parseConnectionString(connectionString)
	if err != nil {
		return nil, fmt.Errorf("hub: %w", err)
	}
	o := withDefaults(opts)
	host, err := checkHost(key.host, o.Hosts)
	if err != nil {
		return nil, fmt.Errorf("hub: HostName of the connection string: %w", err)
	}
	key.host = host
	c, err := newClient(host, &sharedSigner{key: key}, o)
	if err != nil {
		return nil, err
	}
	c.shared = true
	return c, nil
}
