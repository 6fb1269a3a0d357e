// Package estimate says beforehand how many requests and how much time it takes
// to read a fleet of twins, and to write a part of it, by each way there is, and
// picks one. It is arithmetic: it asks nobody, and has no clock.
//
// Start with [Reading], [Writing] and [Pick]. All limits are those that Microsoft
// documents (the page "IoT Hub quotas and throttling", as package hub has them);
// none was measured. What an answer takes is the one measured figure, see
// [SeenLatency]. A time is therefore the least that a way can take for a hub that
// keeps to its page and has nothing else to do.
//
// Package hub/estimate/virtual holds these figures against an emulated hub. What a
// fleet counts, and what a pack reads, the caller knows.
package estimate
