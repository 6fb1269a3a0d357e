// Package abi holds what twinrules and a plugin have agreed on, as version
// twinrules/1: the names a module exports, the messages that go in and out, and
// the manifest that describes it.
//
// Start with [Input] and [Output]. A plugin is a WebAssembly module of the 2.0
// standard, without threads, that exports its memory and two functions:
//
//	memory
//	twinrules_v1_alloc(size i32) i32
//	twinrules_v1_evaluate(ptr i32, len i32) i64
//
// and, when it wants them,
//
//	twinrules_v1_init(ptr i32, len i32) i64
//	_initialize()
//
// alloc returns the address of at least size bytes that the host may write, or 0
// to refuse; what was there before need not be kept. The host calls it when it
// needs a bigger buffer than it has, and writes the message before the next call.
//
// evaluate reads an [Input] and returns 0 for "no match", or the address and the
// length of an [Output], as ptr<<32 | len, which must stay until the next call.
//
// init reads the rule's configuration, a JSON object, once, and returns 0 or the
// place of an [Output] with an error. It runs after _initialize. What memory holds
// then is what every evaluate starts from: nothing a call leaves behind is there
// in the next one. During init the clock stands at 1970.
//
// The host offers one function, twinrules.log(level i32, ptr i32, len i32), with
// the levels of [Levels]. For the sake of toolchains it also answers
// wasi_snapshot_preview1, where the clock shows [Input.Now], or 1970 without one,
// and moves only when the plugin sleeps, random numbers depend on the module and the input alone, what
// is printed is logged, there are no files, no network and no environment, and to
// exit is an error; and AssemblyScript's env.abort and env.seed. Anything else
// is refused before the module runs.
package abi

// Version names this agreement in a manifest.
const Version = "twinrules/1"

// The names of exports.
const (
	Memory     = "memory"
	Alloc      = "twinrules_v1_alloc"
	Evaluate   = "twinrules_v1_evaluate"
	Init       = "twinrules_v1_init"
	Initialize = "_initialize"
)

// The names of the import.
const (
	Host = "twinrules"
	Log  = "log"
)

// Levels names the levels of log, from 0 on.
var Levels = [...]string{"debug", "info", "warn", "error"}

// The sizes of messages, in bytes.
const (
	MaxInput  = 1 << 20
	MaxOutput = 64 << 10 // the hub takes 8 KiB of tags and 32 KiB of desired properties
	MaxLines  = 16       // of log, in one call
	MaxLine   = 512
)

// An Input is what evaluate reads. It may grow members.
type Input struct {
	// Now is in milliseconds since 1970, of the run. When the manifest declares reads
	// and [Now] is not among them, it is not there.
	Now  int64 `json:"now,omitempty"`
	Twin Twin  `json:"twin"`
}

// A Twin is a twin as rules see it, with the same names. When the manifest
// declares reads, only those members are there.
type Twin struct {
	ID               string         `json:"id,omitempty"`
	ModuleID         string         `json:"moduleId,omitempty"`
	Status           string         `json:"status,omitempty"`
	ConnectionState  string         `json:"connectionState,omitempty"`
	LastActivityTime string         `json:"lastActivityTime,omitempty"`
	ModelID          string         `json:"modelId,omitempty"`
	Edge             bool           `json:"edge,omitempty"`
	Tags             map[string]any `json:"tags,omitempty"`
	Desired          map[string]any `json:"desired,omitempty"`
	Reported         map[string]any `json:"reported,omitempty"`
}

// An Output is what evaluate returns. Members that are not here are an error, so
// that a misspelt one is noticed. Either Error is set or Match is; the other
// members need Match to be true.
type Output struct {
	Match bool `json:"match,omitempty"`
	// Facts are what the plugin found, which the rule reads as plugin.<name> in
	// when and ${ }.
	Facts map[string]any `json:"facts,omitempty"`
	// Patch is merged into the twin through the same limits and checks as the
	// rule's own patch. It may set only what the manifest's writes allow.
	Patch    *Patch            `json:"patch,omitempty"`
	Message  string            `json:"message,omitempty"`  // for people
	Severity string            `json:"severity,omitempty"` // one of Severities
	Labels   map[string]string `json:"labels,omitempty"`   // for reports
	Error    *Error            `json:"error,omitempty"`
}

// Severities are what an output may say of itself.
var Severities = [...]string{"info", "warning", "error"}

// A Patch is a JSON merge patch; null deletes.
type Patch struct {
	Tags    map[string]any `json:"tags,omitempty"`
	Desired map[string]any `json:"desired,omitempty"`
}

// An Error says why a plugin cannot judge a twin, or use a configuration.
type Error struct {
	Code    string `json:"code,omitempty"` // the plugin's own, such as "bad-position"
	Message string `json:"message"`
}
