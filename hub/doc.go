// Package hub is a client of the service API of Azure IoT Hub, which has none
// for Go. It follows the conventions of the Azure SDK: one pipeline, clients for
// the parts of the API, Microsoft Entra tokens.
//
// Start with [NewClient]. Its own methods are the verbs that a rules engine
// needs, over documents of package twin; [Client.NewRegistryClient] and
// [Client.NewConfigurationClient] give the API as it is.
//
// Reads are tried again as the SDK does it. Writes are sent once: whether to
// send again needs to know what the first try did, which only the caller can
// find out. So a write whose answer is lost fails with [twin.ErrMaybeApplied].
// [Explain] says in a line what went wrong and what to do.
//
// Tokens go to the host that the client was made for, and nowhere else: the
// host is checked, redirects are not followed, and no answer names an address.
//
// How one signs in is left to package credential, pacing and repeating of
// writes to package engine.
package hub
