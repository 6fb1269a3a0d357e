package hub

import (
	"fmt"
	"time"
)

// A Tier is the edition of a hub, which decides what it allows. Basic ones are
// missing: they have no twins, methods, jobs or configurations.
type Tier string

// The tiers. TierF1, the free one, is as fast as one unit of TierS1.
const (
	TierF1 Tier = "F1"
	TierS1 Tier = "S1"
	TierS2 Tier = "S2"
	TierS3 Tier = "S3"
)

// PossibleTierValues returns the tiers.
func PossibleTierValues() []Tier { return []Tier{TierF1, TierS1, TierS2, TierS3} }

// A Class is a group of operations that a hub limits together.
type Class struct {
	Name       string
	per        time.Duration
	s1, s2, s3 rate
}

// A rate is what a class may do in its period: so much, or so much for every
// unit of the hub if that is more.
type rate struct{ least, perUnit int }

func (r rate) of(units int) int { return max(r.least, r.perUnit*units) }

// The classes with their limits as documented. [DirectMethods] count pieces of
// 4 KB, [RegistryOperations] items, the others requests. [JobDevices] are the
// devices that the hub's own jobs come to; no request counts against it.
var (
	RegistryOperations      = &Class{"registry operations", time.Minute, rate{0, 100}, rate{0, 100}, rate{0, 5000}}
	Queries                 = &Class{"queries", time.Minute, rate{0, 20}, rate{0, 20}, rate{0, 1000}}
	TwinReads               = &Class{"twin reads", time.Second, rate{100, 0}, rate{100, 10}, rate{0, 500}}
	TwinUpdates             = &Class{"twin updates", time.Second, rate{50, 0}, rate{50, 5}, rate{0, 250}}
	JobOperations           = &Class{"job operations", time.Minute, rate{0, 100}, rate{0, 100}, rate{0, 5000}}
	JobDevices              = &Class{"devices of jobs", time.Second, rate{10, 0}, rate{10, 1}, rate{0, 50}}
	ConfigurationOperations = &Class{"configuration operations", time.Minute, rate{0, 20}, rate{0, 20}, rate{0, 20}}
	DirectMethods           = &Class{"direct methods", time.Second, rate{0, 40}, rate{0, 120}, rate{0, 6144}}
	// Messages has the limit of sending to devices: those of feedback and of
	// purging are not documented.
	Messages = &Class{"messages", time.Minute, rate{0, 100}, rate{0, 100}, rate{0, 5000}}
)

// Classes returns all classes.
func Classes() []*Class {
	return []*Class{RegistryOperations, Queries, TwinReads, TwinUpdates, JobOperations, JobDevices, ConfigurationOperations, DirectMethods, Messages}
}

func (c *Class) String() string { return c.Name }

// Limit returns how much a hub of that tier allows in the class, and in what
// time. Units less than 1 are taken for 1.
func (c *Class) Limit(tier Tier, units int) (int, time.Duration) {
	units = max(units, 1)
	switch tier {
	case TierS3:
		return c.s3.of(units), c.per
	case TierS2:
		return c.s2.of(units), c.per
	case TierF1:
		return c.s1.of(1), c.per
	}
	return c.s1.of(units), c.per
}

// Window returns how long a request counts against a limit here: the class's
// period, and a little longer, because requests that leave evenly do not arrive so.
func (c *Class) Window() time.Duration { return c.per + c.per/50 }

// check says why there is no hub of that tier.
func (t Tier) check() error {
	for _, known := range append(PossibleTierValues(), "") {
		if t == known {
			return nil
		}
	}
	if len(t) > 0 && t[0] == 'B' {
		return fmt.Errorf("hubs of the basic tier %s have no twins", t)
	}
	return fmt.Errorf("%q is no tier; there are %v", string(t), PossibleTierValues())
}
