// Package hubtest is the contract of a hub as tests: what package hub promises,
// and what its callers may rely on, of the emulator and of a hub in Azure alike.
//
// Start with [Run]. Each of [Cases] names the evidence for what it claims, with
// the labels of the protocol notes:
//
//	REC   sessions with a real hub, recorded by Microsoft
//	LIVE  a third party's findings on a real hub
//	INT   Microsoft's integration tests, run against real hubs
//	DOC   Microsoft's documentation
//	INF   an inference, which a real hub may refute
//
// The package's own test runs it on the emulator, and on the hub that
// TWINRULES_TEST_HUB names.
package hubtest
