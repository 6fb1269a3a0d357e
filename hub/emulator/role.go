package emulator

import "strings"

// A Role grants data actions on the hub, as a built-in role of Azure does.
type Role struct {
	Name    string   // as in Azure
	Flag    string   // as on the command line
	Actions []string // a "*" stands for anything; with or without Microsoft.Devices/IotHubs/ before them
}

// The built-in roles, as documented in "Control access to IoT Hub by using
// Microsoft Entra ID". Subscription owners and contributors have none of these.
var (
	DataContributor = &Role{"IoT Hub Data Contributor", "data-contributor", []string{"*"}}
	DataReader      = &Role{"IoT Hub Data Reader", "data-reader",
		[]string{"*/read", "fileUpload/notifications/action"}}
	TwinContributor     = &Role{"IoT Hub Twin Contributor", "twin-contributor", []string{"twins/*"}}
	RegistryContributor = &Role{"IoT Hub Registry Contributor", "registry-contributor", []string{"devices/*"}}
)

// Roles lists every role there is, the widest first.
var Roles = []*Role{DataContributor, DataReader, TwinContributor, RegistryContributor}

// actionPrefix is what every data action of a hub begins with.
const actionPrefix = "Microsoft.Devices/IotHubs/"

// grants reports whether one of roles allows action.
func grants(roles []*Role, action string) bool {
	for _, r := range roles {
		for _, pattern := range r.Actions {
			if matchAction(pattern, action) {
				return true
			}
		}
	}
	return false
}

// matchAction matches action with a pattern that has at most one "*".
func matchAction(pattern, action string) bool {
	before, after, wild := strings.Cut(strings.TrimPrefix(pattern, actionPrefix), "*")
	if !wild {
		return before == action
	}
	return len(action) >= len(before)+len(after) &&
		strings.HasPrefix(action, before) && strings.HasSuffix(action, after)
}
