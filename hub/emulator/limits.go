package emulator

import "cmp"

// Limits are how many there may be of something. Those of twins are in package
// twin. How many messages a hub takes in a day is not among them: what counts as
// one is known, but not how the hub counts and refuses them.
type limits struct {
	configurations int
	identities     int // devices and modules
}

// limitsOf returns the limits of a tier, or those that were asked for instead.
func limitsOf(o *Options, t *tier) limits {
	configurations := maxConfigurations
	if t != nil && t.name == "F1" {
		configurations = maxFreeConfigurations
	}
	return limits{cmp.Or(o.MaxConfigurations, configurations), cmp.Or(o.MaxIdentities, maxIdentities)}
}

const (
	// maxConfigurations is the limit of the paid tiers; older pages say 20.
	maxConfigurations     = 100
	maxFreeConfigurations = 10
	// maxIdentities is the limit of every tier, as the page of quotas says.
	maxIdentities = 1_000_000
	// maxModules is how many modules a device may have besides the hub's own, as
	// remembered from the documentation of quotas; older pages say 20.
	maxModules = 50
	// maxBulk is how many entries one bulk request may have.
	maxBulk = 100
	// maxList is how many devices a list has at most, and when nobody says.
	maxList = 1000
	// maxReason is how long the reason of a status may be.
	maxReason = 128
)
