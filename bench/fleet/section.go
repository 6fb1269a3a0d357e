package fleet

import (
	"fmt"
	"time"
)

// Words that rules of a race look for.
var (
	Kinds    = []string{"thermostat", "reefer", "meter", "pump", "locator", "camera", "gateway"}
	Rings    = []string{"broad", "early", "pilot", "lab"}
	Regions  = []string{"eu-north", "eu-central", "us-east", "apac"}
	Channels = []string{"stable", "beta", "canary", "lts"}
	Networks = []string{"ethernet", "wifi", "lte", "nbiot", "lora"}
	Modes    = []string{"eco", "auto", "boost", "manual", "off"}
	Owners   = []string{"ops@contoso.example", "facilities@contoso.example", "grid@fabrikam.example", "fleet@northwind.example"}
)

// Site names site n of the fleet; there are 48.
func Site(n int) string {
	return fmt.Sprintf("%s-%02d", []string{"muc", "got", "iad", "sin"}[n%4], n/4%12)
}

const sites = 48

func draw(d dice, o *Options, i int) *document {
	f := familyOf(d.IntN(100))
	site := d.IntN(sites)
	t := &document{
		family: f, id: fmt.Sprintf("%s-%s-%07d", f.name[:3], Site(site), i), auth: pick(d, "sas", "selfSigned", "certificateAuthority"),
		identity: d.Uint64N(1 << 40), connected: d.chance(760), disabled: d.chance(35),
		tagVersion: d.between(1, 6), wanted: d.between(2, 40), told: d.between(40, 20_000), salt: d.Uint64(),
	}
	t.desiredWritten = d.before(Taken, 200*day)
	if !d.chance(8) { // the others have never spoken
		t.active = lastActive(d, t.connected)
	}
	t.drawTags(d, o, site)
	t.drawProperties(d, o)
	if d.chance(30) { // as a device does that writes its members in another order
		d.Shuffle(len(t.tags), func(a, b int) { t.tags[a], t.tags[b] = t.tags[b], t.tags[a] })
		d.Shuffle(len(t.reported), func(a, b int) { t.reported[a], t.reported[b] = t.reported[b], t.reported[a] })
	}
	return t
}

func lastActive(d dice, connected bool) time.Time {
	if connected {
		return d.before(Taken, 6*time.Hour)
	}
	return d.before(Taken, pick(d, 2*day, 2*day, 10*day, 60*day))
}

func (t *document) drawTags(d dice, o *Options, site int) {
	ring := Rings[[]int{0, 0, 0, 0, 0, 0, 1, 1, 2, 3}[d.IntN(10)]]
	if d.chance(970) {
		t.tags = append(t.tags, text("ring", ring))
	}
	t.tags = append(t.tags, text("kind", t.family.name))
	if d.chance(940) {
		t.tags = append(t.tags, place(d, site))
	}
	if d.chance(850) {
		t.tags = append(t.tags, text("owner", pick(d, Owners...)))
	}
	if d.chance(60) {
		t.tags = append(t.tags, flag("maintenance", d.chance(700)))
	}
	if d.chance(300) {
		t.tags = append(t.tags, raw("note", note(d)))
	}
	if d.chance(600) {
		t.tags = append(t.tags, object("asset", text("costCenter", fmt.Sprintf("CC-%04d", d.IntN(500))), text("order", fmt.Sprintf("PO%08d", d.IntN(1e8))), number("warrantyMonths", 12*d.IntN(6))))
	}
	t.tags = append(t.tags, object("care", asWanted(d, o, CareTags)...))
}

func place(d dice, site int) member {
	kids := []member{text("region", Regions[site%4]), text("site", Site(site)), number("floor", d.between(0, 29))}
	if d.chance(400) {
		kids = append(kids, object("geo", raw("lat", decimal(d.between(-9000, 9000))), raw("lon", decimal(d.between(-18000, 18000)))))
	}
	return object("place", kids...)
}

// note draws what people write, with everything that JSON escapes.
func note(d dice) string {
	return pick(d, `"sensor \"A\" replaced {2026}"`, `"caf\u00e9 roof, door [3]"`, `"ok"`, `"line1\nline2: }{ \\ "`, `"Dach, Tür 3 \ud83d\ude00"`, `"屋上のメモ"`)
}

func (t *document) drawProperties(d dice, o *Options) {
	mode, interval := pick(d, Modes...), pick(d, 10, 30, 60, 300, 900)
	channel := Channels[[]int{0, 0, 0, 0, 0, 1, 1, 2, 3, 3}[d.IntN(10)]]
	t.drawDesired(d, o, mode, channel, interval)
	version := fmt.Sprintf("%d.%d.%d", d.between(1, 3), d.between(0, 11), d.between(0, 5))
	if d.chance(20) {
		version += fmt.Sprintf("-rc.%d", d.between(1, 3))
	}
	if d.chance(120) {
		mode = pick(d, Modes...)
	}
	t.drawReported(d, mode, channel, version)
}

func (t *document) drawDesired(d dice, o *Options, mode, channel string, interval int) {
	if d.chance(600) {
		t.desired = append(t.desired, object("config", text("mode", mode), number("target", d.between(10, 29))))
	}
	if d.chance(400) {
		t.desired = append(t.desired, object("telemetry", number("everySec", interval), flag("compress", d.chance(500))))
	}
	if d.chance(300) {
		t.desired = append(t.desired, object("firmware", text("channel", channel)))
	}
	t.desired = append(t.desired, object("policy", asWanted(d, o, Policies)...))
}

func (t *document) drawReported(d dice, mode, channel, version string) {
	if t.active.IsZero() {
		return
	}
	t.reported = []member{text("model", pick(d, t.family.models...))}
	if d.chance(950) {
		t.reported = append(t.reported, object("firmware", text("version", version), text("channel", channel)))
	}
	if d.chance(800) {
		t.reported = append(t.reported, object("config", text("mode", mode)))
	}
	if d.chance(500) {
		t.reported = append(t.reported, object("telemetry", flag("compress", d.chance(500))))
	}
	if d.chance(920) {
		t.reported = append(t.reported, network(d))
	}
	t.reported = append(t.reported, t.family.extra(d)...)
	if d.chance(250) {
		t.reported = append(t.reported, raw("faults", faults(d)))
	}
	t.reported = append(t.reported, number("uptimeSec", d.between(0, 90*86400)), number("restarts", d.between(0, 400)))
}

func network(d dice) member {
	kind := text("type", pick(d, Networks...))
	if d.chance(15) {
		kind = raw("type", "null")
	}
	kids := []member{kind, number("rssi", -d.between(40, 110))}
	if d.chance(150) {
		kids = append(kids, text("iccid", fmt.Sprintf("8949%015d", d.Uint64N(1e15))))
	}
	return object("network", kids...)
}

func faults(d dice) string {
	list := ""
	for range d.between(1, 3) {
		list += fmt.Sprintf(`,"F%d%02d"`, d.between(1, 5), d.between(0, 99))
	}
	return "[" + list[1:] + "]"
}
