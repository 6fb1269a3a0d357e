package main

import "fmt"

// drawGateway draws a gateway, which stands in a depot and runs IoT Edge. Its
// tags say which firmware it has, as far as somebody wrote that down.
func drawGateway(d dice, n int) []*document {
	doc, s := identify(d, fmt.Sprintf("gw-%03d", n), "gateway")
	doc.device = fmt.Sprintf("gw-%s-%03d", s.code, n)
	doc.edge, doc.auth = true, "certificateAuthority"
	doc.desired = object{{"logging", object{{"level", "warn"}}}, {"buffer", object{{"hours", pick(d, 24, 24, 72)}, {"dropOldest", true}}}}
	version, channel := gatewayFirmware(d, s)
	doc.tags = append(doc.tags, firmwareTags(d, version, channel)...)
	if n == odd {
		version += hostile // as its owner named the image
	}
	if doc.isNew(d) {
		return []*document{doc}
	}
	doc.reported = object{
		{"firmware", object{{"version", version}, {"channel", channel}, {"slots", []any{"a", "b"}}}},
		{"uptimeH", d.between(1, 4000)},
		{"disk", object{{"usedPct", d.between(12, 97)}}},
	}
	if d.chance(30) {
		doc.reported = doc.reported[1:] // an image that does not say what it is
	}
	agent := &document{device: doc.device, module: "$edgeAgent", auth: "none", seen: doc.seen,
		reported: object{{"runtime", object{{"type", "docker"}, {"platform", object{{"os", "linux"}, {"architecture", pick(d, "aarch64", "x86_64")}}}}}, {"lastDesiredStatus", object{{"code", 200}, {"description", ""}}}}}
	return []*document{doc, agent, locatorModule(d, doc, standing(d, s))}
}

// gatewayFirmware draws what a gateway runs and the channel it follows.
func gatewayFirmware(d dice, s site) (version, channel string) {
	if s.region == "eu-north" {
		return pick(d, "2.7.0", "2.8.0-rc.2", "2.8.0-rc.2"), pick(d, "stable", "candidate")
	}
	return pick(d, "2.6.1", "2.7.0", "2.7.0", "2.7.0"), "stable"
}

// firmwareTags returns what the tags say of the firmware: mostly the truth.
func firmwareTags(d dice, version, channel string) object {
	wanted := "stable"
	if channel == "candidate" || version == "2.8.0-rc.2" {
		wanted = "candidate"
	}
	switch n := d.IntN(100); {
	case n < 4:
		return nil
	case n < 9:
		version = "2.5.3"
	}
	return object{{"firmware", object{{"channel", wanted}, {"installed", version}}}}
}

// standing returns where a gateway says that it is; a few were taken away.
func standing(d dice, s site) object {
	if d.chance(15) {
		return s.near(d, 20_000, 90_000)
	}
	return s.near(d, 0, 800)
}
