//go:build race

package rules_test

// slack is how much slower than the yardstick a test may be.
const slack = 20
