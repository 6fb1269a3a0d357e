//go:build !race

package rules_test

// slack is how much slower than an idle processor a test may be: others may be at
// work on this machine.
const slack = 2
