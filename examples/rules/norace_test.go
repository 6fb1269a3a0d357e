//go:build !race

package examples_test

const watched = false
