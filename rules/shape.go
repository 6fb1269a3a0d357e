package rules

// A Shape is one mapping of the language and the keys that may stand in it. The
// slice [Shapes] is the one table of keys: reading refuses what is not in it, and
// the editors' schema and the reference page are printed from it.
type Shape struct {
	Name, Doc string
	Keys      []Key
	// Free says what stands under names that the author chooses; nil when there
	// are none.
	Free *Key
}

// A Key is one key of a [Shape].
type Key struct {
	Name, Doc string
	Sort      Sort
	Required  bool
	Words     []string // that a Word may be
	Low, High int      // of a Whole
	Of        *Shape   // of a Mapping, and of each element of a List
}

// A Sort says what stands behind a key.
type Sort int

// The sorts of values.
const (
	Text       Sort = iota // any text
	Named                  // a name of the pack's own: lower-case letters, digits, dashes
	Word                   // one of a few words
	Whole                  // a whole number
	Truth                  // true or false
	Expression             // a condition
	Constants              // an object of JSON
	Values                 // an object of JSON whose texts may hold ${ }
	Mapping                // a mapping of a Shape
	List                   // a list of mappings of a Shape
	Texts                  // a list of texts
	Expected               // what a test expects
)

// The kinds of files.
const (
	kindPack  = "RulePack"
	kindRules = "Rules"
)

// largestCount bounds counts of twins and priorities of configurations,
// largestFleet what a test can count.
const (
	largestCount = 1_000_000
	largestFleet = 10_000_000
)

var modes = []string{string(Enforce), string(Audit), string(Off)}

var metadataShape = &Shape{Name: "metadata", Doc: "what the pack is called, and whose it is", Keys: []Key{
	{Name: "name", Sort: Named, Required: true, Doc: "the pack's name: lower-case letters, digits, dashes"},
	{Name: "owner", Doc: "who answers for the pack"},
	{Name: "description", Doc: "for people"},
}}

var limitsShape = &Shape{Name: "limits", Doc: "how many twins may be changed at once; beyond it nothing is written", Keys: []Key{
	{Name: "maxTwins", Sort: Whole, High: largestCount, Doc: "twins changed at the most"},
	{Name: "maxPercent", Sort: Whole, High: 100, Doc: "percent of the selector's population, never less than one twin"},
	{Name: "minPopulation", Sort: Whole, High: largestCount, Doc: "below this population nothing is changed"},
	{Name: "maxShrink", Sort: Whole, High: 100, Doc: "percent by which the population may have shrunk since the last run"},
}}

var defaultsShape = &Shape{Name: "defaults", Doc: "what rules have that say nothing of their own", Keys: []Key{
	{Name: "mode", Sort: Word, Words: modes, Doc: "the mode"},
	{Name: "limits", Sort: Mapping, Of: limitsShape, Doc: "the limits"},
}}

var windowShape = &Shape{Name: "window", Doc: "when a scheduled pass may write", Keys: []Key{
	{Name: "timeZone", Doc: "IANA name, such as Europe/Berlin"},
	{Name: "days", Sort: Texts, Words: weekdays, Doc: "days of the week: mon, tue, …"},
	{Name: "from", Required: true, Doc: `the time of day at which it opens, such as "02:00"`},
	{Name: "to", Required: true, Doc: `the time of day at which it closes`},
}}

var scheduleShape = &Shape{Name: "schedule", Doc: "when serve runs the pack; either every or cron", Keys: []Key{
	{Name: "every", Doc: "a time span such as 15m"},
	{Name: "cron", Doc: "five fields: minute, hour, day, month, weekday"},
	{Name: "timeZone", Doc: "for cron: IANA name, such as Europe/Berlin; UTC without it"},
	{Name: "window", Sort: Mapping, Of: windowShape, Doc: "when it may write"},
}}

var pluginSourceShape = &Shape{Name: "plugin source", Doc: "a plugin that the pack declares", Keys: []Key{
	{Name: "source", Required: true, Doc: "a path in the pack, such as plugins/anomaly.wasm, or oci://host/repository:tag"},
	{Name: "digest", Doc: `"sha256:" and 64 hexadecimal digits: the file that was reviewed; without it twinrules.lock says which`},
	{Name: "verify", Sort: Mapping, Of: verifyShape, Doc: "whose signatures the module must have"},
}}

var verifyShape = &Shape{Name: "verify", Doc: "public keys; of each list that is there one has to have signed", Keys: []Key{
	{Name: "minisign", Sort: Texts, Doc: "keys of minisign, which start with RW; the signature is beside the file, with .minisig behind its name, or in the image"},
	{Name: "cosign", Sort: Texts, Doc: "keys of cosign, in PEM; the signature is in the registry, beside the image"},
}}

var pluginsShape = &Shape{Name: "plugins", Doc: "the plugins of the pack", Free: &Key{Sort: Mapping, Of: pluginSourceShape, Doc: "a plugin"}}

var pluginUseShape = &Shape{Name: "plugin", Doc: "a rule's use of a plugin; what it finds is read as plugin.…", Keys: []Key{
	{Name: "use", Sort: Named, Required: true, Doc: "one of the pack's plugins"},
	{Name: "with", Sort: Values, Doc: "its configuration; ${ } reads vars only"},
	{Name: "onError", Sort: Word, Words: []string{string(Fail), string(Skip), string(Warn)}, Doc: "what a failed call is: an error of the rule for the twin (fail, the default), no match (skip), or no match that the plan warns of (warn)"},
}}

var metricsShape = &Shape{Name: "metrics", Doc: "counted by the hub", Free: &Key{Sort: Expression, Doc: "the condition of the twins to count"}}

var configurationShape = &Shape{Name: "configuration", Doc: "the hub runs the rule as an automatic-device-management configuration", Keys: []Key{
	{Name: "priority", Sort: Whole, High: largestCount, Doc: "of two configurations for one place the higher wins"},
	{Name: "metrics", Sort: Mapping, Of: metricsShape, Doc: "up to five conditions whose twins the hub counts, by name"},
	{Name: "content", Sort: Constants, Doc: "deviceContent, moduleContent or modulesContent in place of the patch"},
}}

var patchShape = &Shape{Name: "patch", Doc: "what should hold; null removes, objects merge, lists and single values replace", Keys: []Key{
	{Name: "desired", Sort: Values, Doc: "desired properties"},
	{Name: "tags", Sort: Values, Doc: "tags"},
}}

var testTwinShape = &Shape{Name: "test twin", Doc: "a twin in short; what is left out is missing", Keys: []Key{
	{Name: "id", Doc: "the device's id; test without it"},
	{Name: "moduleId", Doc: "the module's id"},
	{Name: "status", Doc: "enabled or disabled"},
	{Name: "connectionState", Doc: "Connected or Disconnected"},
	{Name: "lastActivityTime", Doc: "a time such as 2026-11-21T06:00:00Z"},
	{Name: "modelId", Doc: "the Plug and Play model"},
	{Name: "edge", Sort: Truth, Doc: "true for an IoT Edge device"},
	{Name: "parent", Doc: "the id of the IoT Edge device above it"},
	{Name: "tags", Sort: Constants, Doc: "its tags"},
	{Name: "desired", Sort: Constants, Doc: "its desired properties"},
	{Name: "reported", Sort: Constants, Doc: "its reported properties"},
}}

var expectShape = &Shape{Name: "expect", Doc: "the patch after diffing, or an error", Keys: []Key{
	{Name: "tags", Sort: Constants, Doc: "the tags that are written"},
	{Name: "desired", Sort: Constants, Doc: "the desired properties that are written"},
	{Name: "error", Doc: "a part of the error's text"},
}}

var beforeShape = &Shape{Name: "before", Doc: "what the journal remembers: values that the rule wrote over", Keys: []Key{
	{Name: "desired", Sort: Constants, Doc: "desired properties"},
	{Name: "tags", Sort: Constants, Doc: "tags"},
}}

var countsShape = &Shape{Name: "counts", Doc: "how many twins, of one rule", Keys: []Key{
	{Name: "selected", Sort: Whole, High: largestFleet, Doc: "twins of its population"},
	{Name: "matched", Sort: Whole, High: largestFleet, Doc: "of these, its condition holds for"},
	{Name: "changed", Sort: Whole, High: largestFleet, Doc: "of these, it would change"},
	{Name: "failed", Sort: Whole, High: largestFleet, Doc: "twins that it could not judge"},
	{Name: "warned", Sort: Whole, High: largestFleet, Doc: "twins that its plugin failed on under `onError: warn`"},
}}

var countedShape = &Shape{Name: "counted", Doc: "what to count, by rule", Free: &Key{Sort: Mapping, Of: countsShape, Doc: "a rule of the pack"}}

var snapshotTestShape = &Shape{Name: "snapshot test", Doc: "a recorded fleet, and how many twins the rules should want something of", Keys: []Key{
	{Name: "name", Required: true, Doc: "what is tested"},
	{Name: "snapshot", Required: true, Doc: "a path in the pack"},
	{Name: "now", Doc: "what the rules see as now; by default when the snapshot was taken"},
	{Name: "expect", Sort: Mapping, Of: countedShape, Required: true, Doc: "counts, by rule"},
}}

var testShape = &Shape{Name: "test", Doc: "a twin, and what the rule should want of it", Keys: []Key{
	{Name: "name", Required: true, Doc: "what is tested"},
	{Name: "twin", Sort: Mapping, Of: testTwinShape, Required: true, Doc: "the twin"},
	{Name: "expect", Sort: Expected, Of: expectShape, Doc: `a patch, none, or error: "text"; may be left out of a test of the gate`},
	{Name: "gate", Sort: Word, Words: gateStates, Doc: "what the gate of the rule's rollout should say of the twin"},
	{Name: "now", Doc: "what the rule sees as now, such as 2026-11-21T06:00:00Z"},
	{Name: "before", Sort: Mapping, Of: beforeShape, Doc: "what the journal remembers of before the rule: `desired` and `tags`"},
}}

var gateShape = &Shape{Name: "gate", Doc: "what the twins of a wave must come to before the next one begins; asked of each as it is then", Keys: []Key{
	{Name: "ok", Sort: Expression, Required: true, Doc: "holds where all is well. A twin for which neither ok nor fail holds is unknown, and unknown never passes"},
	{Name: "fail", Sort: Expression, Doc: "holds where it went wrong; it goes before ok"},
	{Name: "minOk", Doc: "percent of the wave's twins that must be ok; `100%` without it"},
	{Name: "maxFail", Doc: "percent of the wave's twins that may have failed; `0%` without it"},
	{Name: "timeout", Doc: "how long after the writing the wave may take to pass; `24h` without it"},
}}

var rolloutShape = &Shape{Name: "rollout", Doc: "the rule reaches its population in waves, each behind the gate of the one before", Keys: []Key{
	{Name: "by", Doc: "a path whose equal values make one unit, which is never parted: `tags.…`, `id`, `parent` or `modelId`; each twin is one without it"},
	{Name: "waves", Sort: Texts, Required: true, Doc: "their sizes, each with those before it: numbers of units, then percentages, `100%` last: `[1, 5%, 25%, 100%]`"},
	{Name: "soak", Doc: "how long to wait after a wave before its gate is asked, such as 30m"},
	{Name: "gate", Sort: Mapping, Of: gateShape, Required: true, Doc: "what a wave must come to"},
	{Name: "onFail", Sort: Word, Words: []string{string(Pause), string(Rollback)}, Doc: "what is done when a gate is not passed: `pause` (default) or `rollback`"},
}}

var ruleShape = &Shape{Name: "rule", Doc: "what should hold for the twins it selects", Keys: []Key{
	{Name: "id", Sort: Named, Required: true, Doc: "its name, unique in the pack"},
	{Name: "description", Doc: "for people"},
	{Name: "on", Doc: "`device` (default), `module/<moduleId>` or `module/*`"},
	{Name: "selector", Sort: Expression, Doc: "who: a condition that the hub's query language can say exactly. Left out: everybody"},
	{Name: "when", Sort: Expression, Doc: "why: any condition. Left out: always"},
	{Name: "until", Sort: Expression, Doc: "when the rule ends on a twin that it is at work on: any condition. Left out: when `when` no longer holds"},
	{Name: "patch", Sort: Mapping, Of: patchShape, Doc: "what should hold: `desired` and `tags`. `null` removes, objects merge, lists and scalars replace"},
	{Name: "onExit", Sort: Word, Words: []string{"keep", "remove", "restore"}, Doc: "what becomes of the rule's values where it ends: `keep` (default), `remove`, `restore`"},
	{Name: "priority", Sort: Whole, Low: -1000, High: 1000, Doc: "of two rules that want different values for one place the higher wins; equal ones are a conflict, and nothing is applied"},
	{Name: "mode", Sort: Word, Words: modes, Doc: "`enforce` (default), `audit` (reported, never written), `off`"},
	{Name: "limits", Sort: Mapping, Of: limitsShape, Doc: "`maxTwins`, `maxPercent` of the selector's population (never less than one twin), `minPopulation`, `maxShrink`; by default `maxTwins: 500, maxPercent: 10, maxShrink: 50`"},
	{Name: "allowForeign", Sort: Texts, Doc: "ids of configurations on the hub that may write the same places"},
	{Name: "rollout", Sort: Mapping, Of: rolloutShape, Doc: "in waves behind gates: `by`, `waves`, `soak`, `gate` (`ok`, `fail`, `minOk`, `maxFail`, `timeout`), `onFail`"},
	{Name: "plugin", Sort: Mapping, Of: pluginUseShape, Doc: "`use` names one of the pack's plugins, `with` configures it (its `${ }` read `vars` only), `onError` is `fail` (default), `skip` or `warn`"},
	{Name: "configuration", Sort: Mapping, Of: configurationShape, Doc: "the hub runs the rule as an automatic-device-management configuration: `priority`, `metrics`, and in place of a patch `content`"},
	{Name: "tests", Sort: List, Of: testShape, Doc: "`name`, `twin`, `expect` (a patch, `none`, or `error: \"text\"`), `gate` (`ok`, `fail`, `unknown`), `now`, and `before`, what the journal remembers; see [testing](testing.md)"},
}}

var packShape = &Shape{Name: "pack", Doc: "a file of a pack", Keys: []Key{
	{Name: "apiVersion", Sort: Word, Words: []string{Version}, Required: true, Doc: "`twinrules/v1`"},
	{Name: "kind", Sort: Word, Words: []string{kindPack, kindRules}, Required: true, Doc: "`RulePack` or `Rules`"},
	{Name: "metadata", Sort: Mapping, Of: metadataShape, Doc: "`name` (lower-case letters, digits, dashes), `owner`, `description`"},
	{Name: "vars", Sort: Constants, Doc: "constants, read as `vars.…`"},
	{Name: "defaults", Sort: Mapping, Of: defaultsShape, Doc: "`mode` and `limits` of rules that have none of their own"},
	{Name: "limits", Sort: Mapping, Of: limitsShape, Doc: "of all rules together; without them `maxTwins: 1000, maxPercent: 20`"},
	{Name: "schedule", Sort: Mapping, Of: scheduleShape, Doc: "`every: 15m`, or `cron: \"0 2 * * *\"` with `timeZone: Europe/Berlin`, for `serve`; and the `window` in which `serve` and `run` write"},
	{Name: "plugins", Sort: Mapping, Of: pluginsShape, Doc: "by name: `source`, a path in the pack or `oci://…`; `digest`, `sha256:…` of that file, unless `twinrules.lock` has it; and `verify`, the keys that must have signed it"},
	{Name: "tests", Sort: List, Of: snapshotTestShape, Doc: "on recorded fleets: `name`, `snapshot` (a path in the pack), `now`, and what to `expect` of rules by id: `selected`, `matched`, `changed`, `failed`, `warned`; see [testing](testing.md)"},
	{Name: "rules", Sort: List, Of: ruleShape, Doc: "a list"},
}}

// Shapes lists the mappings of the language, a file of a pack and a rule first.
var Shapes = []*Shape{packShape, ruleShape, metadataShape, limitsShape, defaultsShape, windowShape, scheduleShape,
	pluginsShape, pluginSourceShape, verifyShape, pluginUseShape, configurationShape, metricsShape, patchShape, rolloutShape, gateShape, testShape, testTwinShape, beforeShape, expectShape, snapshotTestShape, countedShape, countsShape}

// key returns the key called name, nil when the shape has none.
func (s *Shape) key(name string) *Key {
	for i := range s.Keys {
		if s.Keys[i].Name == name {
			return &s.Keys[i]
		}
	}
	return nil
}

// shaped reads the value as a mapping of shape.
func (s setting) shaped(shape *Shape) *mapping {
	m := s.mapping()
	m.shape = shape
	return m
}

// known panics when name is no key of the mapping's shape: then the table, and
// with it the schema, misses a key that is read.
func (m *mapping) known(name string) {
	if m.shape != nil && m.shape.key(name) == nil {
		panic("rules: the shape " + m.shape.Name + " has no key " + name)
	}
}
