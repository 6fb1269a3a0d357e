package emulator

// Limits are how many there may be of something. Those of twins are in package
// twin.
type limits struct {
	configurations int // 0 means maxConfigurations
}

const (
	// maxConfigurations is the limit of the paid tiers; older pages say 20, and
	// the free tier has 10.
	maxConfigurations = 100
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
