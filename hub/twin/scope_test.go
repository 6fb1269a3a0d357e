package twin_test

import "testing"

// TestParent reads who is above a device from what the hub says of scopes.
func TestParent(t *testing.T) {
	const edge = `"capabilities":{"iotEdge":true}`
	for name, c := range map[string]struct{ members, want string }{
		"a leaf":                        {`"deviceScope":"ms-azure-iot-edge://gw-1-638","parentScopes":["ms-azure-iot-edge://gw-1-638"]`, "gw-1"},
		"a leaf of old":                 {`"deviceScope":"ms-azure-iot-edge://gw-1-638"`, "gw-1"},
		"a leaf of old with no parents": {`"deviceScope":"ms-azure-iot-edge://gw-1-638","parentScopes":[]`, "gw-1"},
		"a gateway":                     {`"deviceScope":"ms-azure-iot-edge://gw-1-638",` + edge, ""},
		"a gateway below another":       {`"deviceScope":"ms-azure-iot-edge://gw-2-638","parentScopes":["ms-azure-iot-edge://gw-1-637"],` + edge, "gw-1"},
		"several":                       {`"parentScopes":["ms-azure-iot-edge://a-1","ms-azure-iot-edge://b-2"]`, "a"},
		"a module":                      {`"moduleId":"m","deviceScope":"ms-azure-iot-edge://gw-1-638"`, ""},
		"nobody":                        {`"status":"enabled"`, ""},
		"null":                          {`"deviceScope":null,"parentScopes":null`, ""},
		"no list":                       {`"parentScopes":{"a":["ms-azure-iot-edge://a-1"]}`, ""},
		"a list of other things":        {`"parentScopes":[1,["ms-azure-iot-edge://a-1"],"ms-azure-iot-edge://b-2"]`, "b"},
		"another scheme":                {`"deviceScope":"https://gw-1-638"`, ""},
		"no moment":                     {`"deviceScope":"ms-azure-iot-edge://gw-x"`, ""},
		"no dash":                       {`"deviceScope":"ms-azure-iot-edge://gw"`, ""},
	} {
		if got := parse(t, `{"deviceId":"d",`+c.members+`}`).Parent(); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
