//go:build race

package wasm_test

// raceDetector says that tests are slowed down.
const raceDetector = true
