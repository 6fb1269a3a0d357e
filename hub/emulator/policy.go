package emulator

import "fmt"

// policiesOf returns the shared access policies that every new hub has. Only the
// owner's and that registryReadWrite does not open twins were seen on the wire;
// what the rights of the others open is read narrowly from their documentation:
// RegistryRead and RegistryWrite the registry with its configurations and jobs,
// ServiceConnect twins, methods and messages, DeviceConnect nothing here.
func policiesOf(d *dice) []policy {
	list := []policy{{name: "iothubowner", key: d.key(), actions: []string{"*"}}}
	service := []string{"twins/*", "directMethods/*", "cloudToDeviceMessages/*", "fileUpload/*"}
	read := []string{"devices/read", "statistics/read", "configurations/read", "jobs/read"}
	for _, p := range []policy{
		{name: "service", actions: service},
		{name: "device"},
		{name: "registryRead", actions: read},
		{name: "registryReadWrite", actions: append(read, "devices/*", "configurations/*", "jobs/*")},
	} {
		p.key = d.keyOf("policy " + p.name)
		list = append(list, p)
	}
	return list
}

// ConnectionString returns one with the policy iothubowner.
func (e *Emulator) ConnectionString() string { return e.ConnectionStringOf("iothubowner") }

// ConnectionStringOf returns one with the shared access policy of that name:
// iothubowner, service, device, registryRead or registryReadWrite. It is "" when
// there is no such policy.
func (e *Emulator) ConnectionStringOf(policy string) string {
	for _, p := range e.hub.gate.policies {
		if p.name == policy {
			return fmt.Sprintf("HostName=%s;SharedAccessKeyName=%s;SharedAccessKey=%s", e.HubName(), p.name, p.key)
		}
	}
	return ""
}
