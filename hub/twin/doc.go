// Package twin holds the documents of an IoT Hub that twinrules reads and
// changes, and the arithmetic on them: device and module twins, merge patches,
// automatic-device-management configurations, and the hub's limits.
//
// Start with [Parse] for a twin as the hub sent it, [Diff] and [Merge] for
// patches, and [Check] for the hub's limits. A [Twin] keeps the hub's bytes and
// decodes a section when somebody asks for it, because most bytes of a fleet
// are read by no rule.
//
// The package does no I/O. Reading a hub is left to package hub, reading a
// file to package snapshot.
package twin
