// Package hub is a client of the service API of Azure IoT Hub, which has none
// for Go. It follows the conventions of the Azure SDK: one pipeline, clients for
// the parts of the API, Microsoft Entra tokens, pagers and pollers, and iterators
// on top of these.
//
// Start with [NewClient]. Its own methods are the verbs that a rules engine
// needs, over documents of package twin. The API as it is, all 42 operations of
// it, is in five clients, each of which can also be made without a Client:
//
//   - [RegistryClient]: identities of devices and modules, their twins, queries, methods
//   - [JobClient]: the hub's own jobs over many devices, import and export
//   - [ConfigurationClient]: automatic device management
//   - [DigitalTwinClient]: twins in the form of their model, commands
//   - [RuntimeClient]: feedback on messages to devices, and their queue
//
// What is tried again depends on what the operation does. Reads are, whatever
// happens. Writes are when they are guarded by an ETag or by a name that only a
// creation takes; if one is refused after an answer was lost, the document is
// read, and the write has succeeded if it is there. What happens as often as it
// is asked for, such as a method, is sent once. A write of which nobody knows
// fails with [twin.ErrMaybeApplied]. The verbs that write, such as
// [Client.PatchTwin], send one request whatever happens: their callers know more.
//
// Requests wait until the hub has room for them, see [Pacer], and a 429 makes all
// of its kind wait. [Explain] says in a line what went wrong and what to do;
// [HasCode] is for programs.
//
// Tokens go to the host that the client was made for, and nowhere else: the
// host is checked, redirects are not followed, and no answer names an address.
//
// Messages to devices are sent by AMQP alone, and are missing here. How one signs
// in is left to package credential, and the repeating of a plan's writes to
// package engine.
package hub
