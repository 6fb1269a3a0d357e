package rules

// A Code names a sort of mistake. Codes are stable: a code that was released
// keeps its meaning.
type Code string

// The sorts of mistakes that loading and compiling a pack can find.
const (
	BadYAML          Code = "bad-yaml"
	BadScalar        Code = "bad-scalar"
	DuplicateKey     Code = "duplicate-key"
	UnknownKey       Code = "unknown-key"
	MissingKey       Code = "missing-key"
	WrongType        Code = "wrong-type"
	WrongValue       Code = "wrong-value"
	NotYet           Code = "not-yet"
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
)

// A CodeDoc explains one [Code].
type CodeDoc struct {
	Code Code
	Doc  string
}

// Codes explains every code, in the order of the reference page.
var Codes = []CodeDoc{
	{BadYAML, "the file is not YAML, or uses a part of YAML that packs may not: anchors, aliases, tags, several documents"},
	{BadScalar, "a value that YAML readers disagree about and JSON does not have, such as 0777, 2001-01-01, .inf or an integer beyond ±(2^52-1)"},
	{DuplicateKey, "a key stands twice in one mapping"},
	{UnknownKey, "a key that the language does not have at this place"},
	{MissingKey, "a key that must be there is not"},
	{WrongType, "a mapping, list or scalar where something else must stand"},
	{WrongValue, "a value of the right type that means nothing here"},
	{NotYet, "a part of the language that this version does not run; nothing is guessed in its place"},
	{TooLarge, "a file, document or expression beyond the size that is read"},
	{NoPack, "a folder without a file of kind RulePack, or with several"},
	{DuplicateID, "two rules, plugins or tests with one name"},
	{EmptyExpression, "an expression with nothing in it; leave the key out to say always"},
	{BadExpression, "an expression that does not parse or whose types do not fit"},
	{UnknownName, "a name that expressions do not know"},
	{UnknownFunction, "a function that expressions do not know, or one whose cost is not bounded"},
	{BadSelector, "a selector that the hub's query language cannot say exactly"},
	{SelectorReads, "a selector that reads a path which its rule writes"},
	{BadPatch, "a patch outside tags and desired, or one that sets nothing"},
	{HubLimit, "a patch that the hub would refuse on any twin"},
	{BadConfiguration, "a rule that cannot be handed to the hub as a configuration"},
	{BadPlugin, "a plugin that is not declared, cannot be loaded, or refuses its configuration"},
	{BadTest, "a test that expects something a rule cannot answer"},
	{BadExit, "an until or onExit that cannot work: no constant value of the patch tells whether the rule is at work, or nothing ends it"},
}
