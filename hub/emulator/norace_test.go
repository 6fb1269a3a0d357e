//go:build !race

package emulator_test

const watched = false
