//go:build !race

package sdk_test

// raceDetector says that tests are slowed down.
const raceDetector = false
