package rules

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// What a rollout has that says nothing of its own.
const (
	defaultMinOK   = Everybody
	defaultMaxFail = Share(0)
	defaultTimeout = 24 * time.Hour
)

// maxWaves is more than anybody waits for.
const maxWaves = 100

// readRollout reads how a rule reaches its population.
func readRollout(s setting) *Rollout {
	if !s.exists() {
		return nil
	}
	m := s.shaped(rolloutShape)
	r := &Rollout{at: s, by: m.get("by")}
	r.By = readUnit(r.by)
	r.Waves = readWaves(m.need("waves"))
	soak := m.get("soak")
	if soak.exists() {
		r.Soak = soak.duration(0)
	}
	r.Gate = readGate(m.need("gate"))
	if r.Soak > 0 && r.Soak >= r.Gate.Timeout {
		soak.report(WrongValue, "", "the soak is not over before the gate's timeout of %s", SpellSpan(r.Gate.Timeout))
	}
	r.OnFail = OnFail(m.get("onFail").word(string(Pause), string(Pause), string(Rollback)))
	m.done()
	return r
}

// units are the names that by may begin with: what services say of a device, and
// does not come and go as the rule is at work. What devices report does, and by it
// a device would choose its wave.
var units = []string{"tags", "id", "parent", "modelId"}

// readUnit reads a path whose values make units.
func readUnit(s setting) Path {
	text, e := readExpression(s)
	if !e.exists() {
		return nil
	}
	n := parse(s, 0, e.text)
	if n == nil {
		return nil
	}
	root, keys, ok := chain(n)
	if !ok || !slices.Contains(units, root) || root == "tags" && len(keys) == 0 || root != "tags" && len(keys) > 0 {
		s.report(BadRollout, "", "%q is none of tags.…, id, parent, modelId", text)
		return nil
	}
	return append(Path{root}, keys...)
}

// readWaves reads the sizes of waves: first those in numbers, then those in
// percent, each larger than the one before, and everybody in the end.
func readWaves(s setting) (waves []Wave) {
	if !s.exists() || s.node.Kind != yaml.SequenceNode {
		s.list() // reports what is no list
		return nil
	}
	list := s.list()
	sound := true
	for _, e := range list {
		w, ok := readWave(e)
		if sound = sound && ok; !ok {
			continue
		}
		if n := len(waves); n > 0 {
			checkGrowth(e, waves[n-1], w)
		}
		waves = append(waves, w)
	}
	switch {
	case len(list) == 0:
		s.report(WrongValue, "write waves: [1, 5%, 25%, 100%]", "a rollout without a wave")
	case len(list) > maxWaves:
		s.report(WrongValue, "", "%d waves, at most %d are read", len(list), maxWaves)
	case sound && waves[len(waves)-1].Share != Everybody:
		list[len(list)-1].report(WrongValue, "add 100% behind it", "the last wave is %s, and does not reach everybody", waves[len(waves)-1])
	}
	return waves
}

var waveCount = regexp.MustCompile(`^[0-9]+$`)

func readWave(s setting) (w Wave, ok bool) {
	text := s.text()
	if s.node.Kind != yaml.ScalarNode || s.node.ShortTag() == "!!null" {
		return w, false // reported
	}
	switch {
	case strings.HasSuffix(text, "%"):
		w.Share, ok = s.share(1)
		return w, ok
	case !waveCount.MatchString(text):
		s.report(WrongValue, "", "%q is neither a number of units such as 25, nor a percentage such as 5%%", text)
		return w, false
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > largestCount || text[0] == '0' {
		s.report(WrongValue, "", "%s is no number of units from 1 to %d", text, largestCount)
		return w, false
	}
	return Wave{Count: n}, true
}

// checkGrowth reports a wave that is not more than the one before it, or of which
// nobody can say it, because how many units a percentage is the hub decides.
func checkGrowth(s setting, before, w Wave) {
	switch {
	case w.Count > 0 && before.Share > 0:
		s.report(WrongValue, "put the numbers first", "a number of units behind %s: which of them is more depends on the population", before)
	case w.Count > 0 && w.Count <= before.Count, w.Share > 0 && w.Share <= before.Share:
		s.report(WrongValue, "", "a wave holds the ones before it: %s is not more than %s", w, before)
	}
}

var percentage = regexp.MustCompile(`^(0|[1-9][0-9]{0,2})(?:\.([0-9]{1,2}))?%$`)

// share reads a percentage of at least low parts of 10,000.
func (s setting) share(low Share) (Share, bool) {
	parts := percentage.FindStringSubmatch(s.text())
	if parts == nil {
		s.report(WrongValue, "", "not a percentage such as 5%% or 2.5%%, with at most two decimals")
		return 0, false
	}
	whole, _ := strconv.Atoi(parts[1])
	decimals, _ := strconv.Atoi((parts[2] + "00")[:2])
	share := Share(whole*100 + decimals)
	if share < low || share > Everybody {
		s.report(WrongValue, "", "%s is not from %s to 100%%", share, low)
		return 0, false
	}
	return share, true
}

// readGate reads what a wave must come to.
func readGate(s setting) Gate {
	g := Gate{MinOK: defaultMinOK, MaxFail: defaultMaxFail, Timeout: defaultTimeout}
	if !s.exists() {
		return g
	}
	m := s.shaped(gateShape)
	g.OK, g.ok = readExpression(m.need("ok"))
	g.Fail, g.fail = readExpression(m.get("fail"))
	if v := m.get("minOk"); v.exists() {
		if share, ok := v.share(1); ok { // by 0% what is unknown would pass
			g.MinOK = share
		}
	}
	if v := m.get("maxFail"); v.exists() {
		if share, ok := v.share(0); ok {
			g.MaxFail = share
		}
	}
	if v := m.get("timeout"); v.exists() {
		g.Timeout = max(v.duration(time.Second), time.Second)
	}
	m.done()
	return g
}
