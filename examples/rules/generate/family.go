package main

import "time"

// A family is a sort of device.
type family struct {
	name string
	// draw makes the n-th device of the family, with its modules behind it.
	draw func(d dice, n int) []*document
}

var (
	nordfrosts  = family{"nordfrost", drawNordfrost}
	kaeltewerks = family{"kaeltewerk", drawKaeltewerk}
	gateways    = family{"gateway", drawGateway}
	locators    = family{"locator", drawLocator}
	dryTrailers = family{"dry-trailer", drawDryTrailer}
	buildings   = family{"building", drawBuilding}
	pumps       = family{"pump", drawPump}
)

// allFamilies is the mix of a haulier's fleet.
var allFamilies = []family{nordfrosts, nordfrosts, nordfrosts, kaeltewerks, kaeltewerks, dryTrailers, dryTrailers, locators, locators, gateways}

// A site is a depot that devices belong to, in millionths of a degree.
type site struct {
	code, depot, region string
	lat, lon            int
}

var sites = []site{
	{"muc", "München", "eu-central", 48_353_800, 11_786_100},
	{"ber", "Berlin-Schönefeld", "eu-central", 52_362_300, 13_500_700},
	{"got", "Göteborg", "eu-north", 57_668_900, 12_292_300},
	{"hel", "Hämeenlinna", "eu-north", 60_317_200, 24_963_300},
	{"mil", "Milano", "eu-south", 45_630_600, 8_728_100},
}

// near returns a position that is from low to high metres north or south of the
// site, and a little to its side.
func (s site) near(d dice, low, high int) object {
	const perMetre = 9 // millionths of a degree
	north := d.between(low, high) * perMetre * pick(d, -1, 1)
	return object{{"lat", decimal(s.lat+north, 6)}, {"lon", decimal(s.lon+d.between(-3000, 3000), 6)}, {"accM", d.between(2, 40)}}
}

// somewhere returns a position on a route between sites.
func (s site) somewhere(d dice) object { return s.near(d, 0, 400_000) }

var customers = []string{"contoso", "fabrikam", "Brød & Sønner", "Łódź Fresh", "冷藏物流", "O'Hara \"Dairy\""}

// identify returns the document of a device with the tags that all have.
func identify(d dice, id, kind string) (*document, site) {
	s := pick(d, sites...)
	doc := &document{device: id, auth: pick(d, "sas", "sas", "selfSigned", "certificateAuthority"), seen: lastSeen(d)}
	doc.tags = object{
		{"kind", kind}, {"site", s.code}, {"region", s.region}, {"depot", s.depot},
		{"tier", pick(d, "gold", "silver", "silver", "bronze")}, {"customer", pick(d, customers...)},
	}
	if d.chance(15) {
		doc.disabled = pick(d, "sold", "in the workshop since May", "Diebstahl gemeldet")
	}
	return doc, s
}

// lastSeen draws when a device spoke last: most did just now, some are out of
// reach, a few have been away for months.
func lastSeen(d dice) time.Time {
	switch n := d.IntN(100); {
	case n < 80:
		return d.before(taken, time.Second, 15*time.Minute)
	case n < 96:
		return d.before(taken, time.Hour, 3*day)
	}
	return d.before(taken, 30*day, 500*day)
}

// isNew makes a few devices such as have been registered and never connected.
func (d *document) isNew(r dice) bool {
	if !r.chance(20) {
		return false
	}
	d.seen, d.reported = time.Time{}, nil
	return true
}

// odd is the number of the device of a family that reports something hostile.
const odd = 13

// hostile is what it reports. Whoever shows it must show it as text.
const hostile = "\x1b[2J\x1b]0;owned\a**[renew now](https://evil.example)** | `rm -rf ~` <img src=x onerror=alert(1)> \u202Egnp.exe\n::error::"
