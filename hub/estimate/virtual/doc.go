// Package virtual measures ways of reading and writing on an emulated hub that
// keeps to the documented limits of its tier, in virtual time: an hour of a hub
// that is waited for takes no longer than its requests do. It is what the figures
// of package hub/estimate are held against, in its tests and in bench/hubtime.
//
// Start with [Start], inside of a bubble of testing/synctest, and then
// [Hub.Measure] a lane. The fleet is made up, of small twins; the time that
// answers take is an option, not a measurement.
package virtual
