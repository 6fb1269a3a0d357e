// Package engine turns twins and rules into a plan, and a plan into writes. It
// knows no Azure, no WebAssembly and no YAML.
//
// One twin's way: a [Source] yields it, [Evaluate] hands it to a worker, the
// rules answer with wishes, wishes that do not hold yet become a [Change] or a
// [Conflict], the changes of all twins become a [Plan]. [WritePlan] and
// [ReadPlan] keep it in a file, [Compare] says what one plan does that another
// does not, and [Apply] writes its changes and only those, each under the ETag
// it was computed from, with every intent in a [Journal] before a byte is sent.
// With a [Seen] the next pass looks at nothing again that has not changed.
//
// What a pass holds does not grow with the fleet: with [Options.Scratch] changes and
// names that do not fit in memory go to a file, and a [Plan] is closed after use.
//
// How a plan looks is left to engine/report, the journal's file to
// engine/journal, and what a condition means to package rules.
package engine
