//go:build !race

package engine_test

const watched = false
