// Package hubtest is the contract of a hub as tests: what package hub promises,
// and what its callers may rely on, of the emulator and of a hub in Azure alike.
//
// Start with [Run]. Each of [Cases] names the operations it is about and the
// evidence for what it claims, with [Labels]. There is a file of cases for each
// kind of document; docs/conformance.md counts them.
//
// The package's own tests run them on the emulator, and on the hub that
// TWINRULES_TEST_HUB names. On the emulator a witness holds the traffic against
// Microsoft's description of the API. How clients and hubs answer to what goes
// wrong on the way is left to the tests of packages hub and emulator.
package hubtest
