package pack

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/bench/fleet"
)

// A template makes a rule with the parameters of variant v.
type template func(v int) Rule

// templates lists them. Together they use every sort of comparison.
func templates() []template {
	return []template{
		equality, inList, pattern, version, silence, defaults, drift, alternative,
		ownerless, arithmetic, staleness, element, part, agreement,
	}
}

var (
	everySec, saver                = fleet.Policies[0], fleet.Policies[1]
	drifted, attention, desk, open = fleet.CareTags[0], fleet.CareTags[1], fleet.CareTags[2], fleet.CareTags[3]
)

func equality(v int) Rule {
	channel, ring := fleet.Channels[1+v%3], fleet.Rings[v/3%4]
	return Rule{
		When: All{Equal{"tags.ring", ring}, Equal{"status", "enabled"}, Equal{"reported.firmware.channel", channel}},
		Go: func(t *Twin) bool {
			f := t.Properties.Reported.Firmware
			return t.Status == "enabled" && is(t.Tags.Ring, ring) && f != nil && is(f.Channel, channel)
		},
		Wish: attention,
	}
}

func inList(v int) Rule {
	among := []string{fleet.Site(v * 3), fleet.Site(v*3 + 11), fleet.Site(v*3 + 23)}
	network := fleet.Networks[v%5]
	return Rule{
		When: All{In{"tags.place.site", among}, Differs{"reported.network.type", network}},
		Go: func(t *Twin) bool {
			p, n := t.Tags.Place, t.Properties.Reported.Network
			return p != nil && p.Site != nil && slices.Contains(among, *p.Site) && !(n != nil && is(n.Type, network))
		},
		Wish: everySec,
	}
}

func pattern(v int) Rule {
	expression := []string{`^TH-[0-9]{3}[A-C]$`, `^PU-9[0-9]+`, `^LC-(LTE|SAT)-[12]$`, `^RF-(9[0-9]0|S4)`}[v%4]
	compiled, below := regexp.MustCompile(expression), 12+v%30
	return Rule{
		When: All{Matches{"reported.model", expression}, Below{"reported.battery.level", below}},
		Go: func(t *Twin) bool {
			b, m := t.Properties.Reported.Battery, t.Properties.Reported.Model
			return b != nil && b.Level != nil && *b.Level < float64(below) && m != nil && compiled.MatchString(*m)
		},
		Wish: saver,
	}
}

func version(v int) Rule {
	kind, than := fleet.Kinds[v%7], fmt.Sprintf("%d.%d.0", 1+v%3, 2+v%7)
	key, _ := VersionKey(than)
	return Rule{
		When: All{Equal{"tags.kind", kind}, OlderVersion{"reported.firmware.version", than}},
		Go: func(t *Twin) bool {
			f := t.Properties.Reported.Firmware
			if !is(t.Tags.Kind, kind) || f == nil || f.Version == nil {
				return false
			}
			k, ok := VersionKey(*f.Version)
			return ok && k < key
		},
		Wish: attention,
	}
}

func silence(v int) Rule {
	state, hours := []string{"Disconnected", "Connected"}[v%2], []int{24 * (1 + v), 1 + v%5}[v%2]
	return Rule{
		When: All{Equal{"connectionState", state}, Silent{hours}},
		Go: func(t *Twin) bool {
			return t.ConnectionState == state && t.LastActivityTime != Never && HoursSince(t.LastActivityTime) > float64(hours)
		},
		Wish: desk,
	}
}

func defaults(v int) Rule {
	than, ring := []int{20, 45, 120, 600}[v%4], fleet.Rings[v/4%4]
	return Rule{
		When: All{AboveOr{"desired.telemetry.everySec", 60, than}, Not{True{"reported.telemetry.compress"}}, Differs{"tags.ring", ring}},
		Go: func(t *Twin) bool {
			every := 60.0
			if d := t.Properties.Desired.Telemetry; d != nil && d.EverySec != nil {
				every = *d.EverySec
			}
			r := t.Properties.Reported.Telemetry
			return every > float64(than) && !(r != nil && r.Compress) && !is(t.Tags.Ring, ring)
		},
		Wish: everySec,
	}
}

func drift(v int) Rule {
	region, allowed := fleet.Regions[v%4], fleet.Modes[v%5]
	return Rule{
		When: All{
			Drift{"desired.config.mode", "reported.config.mode"}, Differs{"desired.config.mode", allowed},
			In{"tags.ring", []string{"broad", "early"}}, Equal{"tags.place.region", region},
		},
		Go: func(t *Twin) bool {
			d, r := t.Properties.Desired.Config, t.Properties.Reported.Config
			if d == nil || d.Mode == nil || *d.Mode == allowed || r != nil && is(r.Mode, *d.Mode) {
				return false
			}
			return (is(t.Tags.Ring, "broad") || is(t.Tags.Ring, "early")) && t.Tags.Place != nil && is(t.Tags.Place.Region, region)
		},
		Wish: drifted,
	}
}

func alternative(v int) Rule {
	weak, hot := -105+v%12, 34+v%8
	return Rule{
		When: All{Any{Below{"reported.network.rssi", weak}, Above{"reported.temperature", hot}}, Not{True{"tags.maintenance"}}},
		Go: func(t *Twin) bool {
			n, c := t.Properties.Reported.Network, t.Properties.Reported.Temperature
			return !t.Tags.Maintenance && (n != nil && n.RSSI != nil && *n.RSSI < float64(weak) || c != nil && *c > float64(hot))
		},
		Wish: attention,
	}
}

func ownerless(v int) Rule {
	prefix := []string{"the-muc", "met-got", "gat-", "cam-iad", "pum-sin", "loc-"}[v%6]
	owner := fleet.Owners[v%4]
	return Rule{
		When: All{Starts{"id", prefix}, Any{Missing{"tags.owner"}, Equal{"tags.owner", owner}}},
		Go: func(t *Twin) bool {
			return strings.HasPrefix(t.DeviceID, prefix) && (t.Tags.Owner == nil || *t.Tags.Owner == owner)
		},
		Wish: desk,
	}
}

func arithmetic(v int) Rule {
	percent := 80 + v%19
	return Rule{
		When: All{Fuller{"reported.disk.usedMB", "reported.disk.totalMB", percent}},
		Go: func(t *Twin) bool {
			d := t.Properties.Reported.Disk
			return d != nil && d.UsedMB != nil && d.TotalMB != nil && *d.UsedMB*100 > *d.TotalMB*float64(percent)
		},
		Wish: attention,
	}
}

func staleness(v int) Rule {
	hours, kind := 24*(4+v%9), fleet.Kinds[v%7]
	return Rule{
		When: All{Equal{"tags.kind", kind}, Stale{"reported.firmware.version", hours}},
		Go: func(t *Twin) bool {
			f := t.Properties.Reported.Metadata.Firmware
			return is(t.Tags.Kind, kind) && f != nil && f.Version != nil && HoursSince(f.Version.LastUpdated) > float64(hours)
		},
		Wish: desk,
	}
}

func element(v int) Rule {
	code, up := fmt.Sprintf("F%d", 1+v%5), 86400*(1+v)
	return Rule{
		When: All{AnyStarts{"reported.faults", code}, Above{"reported.uptimeSec", up}},
		Go: func(t *Twin) bool {
			u := t.Properties.Reported.UptimeSec
			return u != nil && *u > float64(up) && slices.ContainsFunc(t.Properties.Reported.Faults, func(s string) bool { return strings.HasPrefix(s, code) })
		},
		Wish: open,
	}
}

func part(v int) Rule {
	word, restarts := []string{"roof", "{2026}", "メモ", "Tür"}[v%4], 40*(1+v)
	return Rule{
		When: All{Contains{"tags.note", word}, Above{"reported.restarts", restarts}},
		Go: func(t *Twin) bool {
			r := t.Properties.Reported.Restarts
			return r != nil && *r > float64(restarts) && t.Tags.Note != nil && strings.Contains(*t.Tags.Note, word)
		},
		Wish: desk,
	}
}

func agreement(v int) Rule {
	kinds := []string{fleet.Kinds[v%7], fleet.Kinds[(v+2)%7]}
	channel := fleet.Channels[v%4]
	return Rule{
		When: All{In{"tags.kind", kinds}, Equal{"desired.firmware.channel", channel}, Same{"desired.firmware.channel", "reported.firmware.channel"}},
		Go: func(t *Twin) bool {
			d, r := t.Properties.Desired.Firmware, t.Properties.Reported.Firmware
			return d != nil && is(d.Channel, channel) && r != nil && is(r.Channel, channel) && t.Tags.Kind != nil && slices.Contains(kinds, *t.Tags.Kind)
		},
		Wish: saver,
	}
}
