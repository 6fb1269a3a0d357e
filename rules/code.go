package rules

// A Code names a sort of mistake. Codes are stable: a code that was released
// keeps its meaning.
type Code string

// The sorts of mistakes that loading and compiling a pack can find, and behind them
// those that only [Check] proves.
const (
	BadYAML          Code = "bad-yaml"
	BadScalar        Code = "bad-scalar"
	DuplicateKey     Code = "duplicate-key"
	UnknownKey       Code = "unknown-key"
	MissingKey       Code = "missing-key"
	WrongType        Code = "wrong-type"
	WrongValue       Code = "wrong-value"
	TooLarge         Code = "too-large"
	NoPack           Code = "no-pack"
	DuplicateID      Code = "duplicate-id"
	EmptyExpression  Code = "empty-expression"
	BadExpression    Code = "bad-expression"
	UnknownName      Code = "unknown-name"
	UnknownFunction  Code = "unknown-function"
	BadSelector      Code = "bad-selector"
	SelectorReads    Code = "selector-reads-write"
	BadPatch         Code = "bad-patch"
	HubLimit         Code = "hub-limit"
	BadConfiguration Code = "bad-configuration"
	BadPlugin        Code = "bad-plugin"
	BadTest          Code = "bad-test"
	BadExit          Code = "bad-exit"
	BadRollout       Code = "bad-rollout"

	NeverTrue      Code = "never-true"
	WriteConflict  Code = "write-conflict"
	SelfNegating   Code = "self-negating"
	EndlessRules   Code = "endless-rules"
	AlwaysTrue     Code = "always-true"
	DeadBranch     Code = "dead-branch"
	MissingDiffers Code = "missing-differs"
	ShadowedRule   Code = "shadowed-rule"
	RuleCycle      Code = "rule-cycle"
	EmptyGate      Code = "empty-gate"
)

// A CodeDoc explains one [Code].
type CodeDoc struct {
	Code    Code
	Doc     string
	Warning bool // the pack does what it says, which may not be what is meant
}

// Codes explains every code, in the order of the reference page.
var Codes = []CodeDoc{
	{Code: BadYAML, Doc: "the file is not YAML, or uses a part of YAML that packs may not: anchors, aliases, tags, several documents"},
	{Code: BadScalar, Doc: "a value that YAML readers disagree about and JSON does not have, such as 0777, 2001-01-01, .inf or an integer beyond ±(2^52-1)"},
	{Code: DuplicateKey, Doc: "a key stands twice in one mapping"},
	{Code: UnknownKey, Doc: "a key that the language does not have at this place"},
	{Code: MissingKey, Doc: "a key that must be there is not"},
	{Code: WrongType, Doc: "a mapping, list or scalar where something else must stand"},
	{Code: WrongValue, Doc: "a value of the right type that means nothing here"},
	{Code: TooLarge, Doc: "a file, document or expression beyond the size that is read"},
	{Code: NoPack, Doc: "a folder without a file of kind RulePack, or with several"},
	{Code: DuplicateID, Doc: "two rules, plugins or tests with one name"},
	{Code: EmptyExpression, Doc: "an expression with nothing in it; leave the key out to say always"},
	{Code: BadExpression, Doc: "an expression that does not parse or whose types do not fit"},
	{Code: UnknownName, Doc: "a name that expressions do not know"},
	{Code: UnknownFunction, Doc: "a function that expressions do not know, or one whose cost is not bounded"},
	{Code: BadSelector, Doc: "a selector that the hub's query language cannot say exactly"},
	{Code: SelectorReads, Doc: "a selector that reads a path which its rule writes"},
	{Code: BadPatch, Doc: "a patch outside tags and desired, or one that sets nothing"},
	{Code: HubLimit, Doc: "a patch that the hub would refuse on any twin"},
	{Code: BadConfiguration, Doc: "a rule that cannot be handed to the hub as a configuration"},
	{Code: BadPlugin, Doc: "a plugin that is not declared, cannot be loaded, or refuses its configuration"},
	{Code: BadTest, Doc: "a test that expects something a rule cannot answer"},
	{Code: BadExit, Doc: "an until or onExit that cannot work: no constant value of the patch tells whether the rule is at work, or nothing ends it"},
	{Code: BadRollout, Doc: "a rollout that cannot be: of a configuration, by what the rule writes or devices report, or with a gate that reads a plugin"},

	{Code: NeverTrue, Doc: "conditions of a rule that no twin meets together"},
	{Code: WriteConflict, Doc: "two rules of one priority that want different values for one place of one twin, which is shown"},
	{Code: SelfNegating, Doc: "a rule that undoes what it does, and does it again, on a twin that is shown"},
	{Code: EndlessRules, Doc: "rules that keep on changing what they read, on a twin that is shown"},
	{Code: AlwaysTrue, Warning: true, Doc: "a condition that holds for every twin it is asked of"},
	{Code: DeadBranch, Warning: true, Doc: "a side of an or that no twin meets"},
	{Code: MissingDiffers, Warning: true, Doc: "a != on a path that may be missing, where it holds"},
	{Code: ShadowedRule, Warning: true, Doc: "a rule whose every place another one of a higher priority writes wherever it matches"},
	{Code: RuleCycle, Warning: true, Doc: "rules of which each reads what another writes, all the way round"},
	{Code: EmptyGate, Warning: true, Doc: "a gate that a device passes which has reported nothing: it proves nothing"},
}
