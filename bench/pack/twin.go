package pack

import (
	"time"

	"github.com/twinrules/twinrules/bench/fleet"
)

// A Twin is the typed view of a document that Go written by hand reads: the
// members that rules name and no others. What may be missing is a pointer.
type Twin struct {
	DeviceID         string `json:"deviceId"`
	ModuleID         string `json:"moduleId"`
	Status           string `json:"status"`
	ConnectionState  string `json:"connectionState"`
	LastActivityTime string `json:"lastActivityTime"`
	Tags             struct {
		Ring        *string `json:"ring"`
		Kind        *string `json:"kind"`
		Owner       *string `json:"owner"`
		Note        *string `json:"note"`
		Maintenance bool    `json:"maintenance"`
		Place       *struct {
			Region *string `json:"region"`
			Site   *string `json:"site"`
		} `json:"place"`
	} `json:"tags"`
	Properties struct {
		Desired  Desired  `json:"desired"`
		Reported Reported `json:"reported"`
	} `json:"properties"`
}

// Desired properties of a [Twin].
type Desired struct {
	Config    *Config `json:"config"`
	Telemetry *struct {
		EverySec *float64 `json:"everySec"`
	} `json:"telemetry"`
	Firmware *struct {
		Channel *string `json:"channel"`
	} `json:"firmware"`
}

// Reported properties of a [Twin].
type Reported struct {
	Model    *string `json:"model"`
	Firmware *struct {
		Version *string `json:"version"`
		Channel *string `json:"channel"`
	} `json:"firmware"`
	Config    *Config `json:"config"`
	Telemetry *struct {
		Compress bool `json:"compress"`
	} `json:"telemetry"`
	Network *struct {
		Type *string  `json:"type"`
		RSSI *float64 `json:"rssi"`
	} `json:"network"`
	Battery *struct {
		Level *float64 `json:"level"`
	} `json:"battery"`
	Temperature *float64 `json:"temperature"`
	Disk        *struct {
		TotalMB *float64 `json:"totalMB"`
		UsedMB  *float64 `json:"usedMB"`
	} `json:"disk"`
	Faults    []string `json:"faults"`
	UptimeSec *float64 `json:"uptimeSec"`
	Restarts  *float64 `json:"restarts"`
	Metadata  struct {
		Firmware *struct {
			Version *struct {
				LastUpdated string `json:"$lastUpdated"`
			} `json:"version"`
		} `json:"firmware"`
	} `json:"$metadata"`
}

// A Config is what a device is to do, and does.
type Config struct {
	Mode *string `json:"mode"`
}

func is(p *string, s string) bool { return p != nil && *p == s }

// HoursSince is how many hours before the fleet was read s was; -1 for no time.
func HoursSince(s string) float64 {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return -1
	}
	return fleet.Taken.Sub(t).Hours()
}

// VersionKey orders semantic versions of three numbers; a pre-release comes
// before its release. It is all that engines without versions need here.
func VersionKey(s string) (key uint64, ok bool) {
	part, digits, n := 0, 0, uint64(0)
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			n = n*10 + uint64(c-'0')
			digits++
		case digits == 0:
			return 0, false
		case c == '.' && part < 2:
			key = key<<20 | n
			part, n, digits = part+1, 0, 0
		case c == '-' && part == 2:
			return (key<<20 | n) << 1, true
		default:
			return 0, false
		}
	}
	return (key<<20|n)<<1 | 1, part == 2 && digits > 0
}

// VersionLess reports whether a is a version before b.
func VersionLess(a, b string) bool {
	x, first := VersionKey(a)
	y, second := VersionKey(b)
	return first && second && x < y
}
