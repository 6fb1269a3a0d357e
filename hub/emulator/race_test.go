//go:build race

package emulator_test

// watched is whether the race detector watches, under which all takes longer.
const watched = true
