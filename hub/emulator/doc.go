// Package emulator is an IoT Hub in memory: the hub's service API and an
// Entra-shaped authority, over real TLS on loopback, for tests, for trying
// rules without an account, and for other programs that speak to a hub.
//
// Start with [Start]. What a client sees is the service API of 2021-04-12 as it
// was observed on the wire. Where nobody has observed it, the emulator refuses
// if it can, so that nothing comes to depend on a guess; the guesses it has to
// make are named where they are made. Tokens are really signed and verified,
// and roles grant the data actions they grant in Azure. The same [Options.Seed]
// gives the same credentials and ids, and time is read from [Options.Now] alone;
// only scripted latency, the timeouts of the servers and, where that clock is the
// real one, the time that devices take are real.
//
// A request passes front (faults, request log), hub (who asks, which route, may
// they), and a handler that answers from the fleet. To serve another operation,
// add a value to routes and its handler in a file of its own.
//
// Devices connect as values of [Device], see [Emulator.Connect]; with
// [Options.Devices] there are some that live by themselves. What happens without
// a request, such as theirs and the steps of a job, happens on the hub's agenda at
// its own time and in one order, when the hub catches up. For what is elsewhere and
// may be slow, such as the containers of an export, the hub does not stand still,
// see errand.
//
// It evaluates queries with package query. It reads no files but those of
// [Options.State]: a fleet comes in as an iterator, from package snapshot or
// elsewhere.
package emulator
