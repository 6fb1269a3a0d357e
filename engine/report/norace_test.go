//go:build !race

package report_test

const watched = false
