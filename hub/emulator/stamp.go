package emulator

import "time"

// never is how the hub writes a time that has not come.
const never = "0001-01-01T00:00:00Z"

// stamp writes a time as the hub does: UTC, at most seven digits of fraction
// without trailing zeros.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.9999999Z") }
