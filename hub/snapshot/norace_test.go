//go:build !race

package snapshot_test

const watched = false
