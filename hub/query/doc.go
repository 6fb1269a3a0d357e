// Package query is the hub's query language: it parses the text of a query or a
// condition, prints it back, and says what it selects among twins at hand.
//
// Start with [Parse] for a whole SELECT, [ParseCondition] for what stands behind
// WHERE and in the target condition of a configuration, and [And], [Or] and the
// types of [Expr] to build a condition.
//
// The language is the one of the page "IoT Hub query language"; what a hub does
// beyond that page is known from tests and tools of others. Where nobody knows
// the hub's meaning, the package takes the narrow one: it refuses the text, or
// the comparison is undefined and selects nothing. Each such choice is named at
// the function that makes it.
//
// Which conditions of a rule may be pushed down to the hub is left to package
// rules, pages and index lag to package emulator.
package query
