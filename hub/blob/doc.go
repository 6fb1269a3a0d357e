// Package blob reads and writes blobs of one Azure storage container with an
// Entra identity or a shared access signature: as much as the export and import
// jobs of a hub need. The official client brings a dozen modules for the rest.
//
// Start with [NewContainer]. Protocol: Get Blob, Put Blob and Delete Blob of the
// Blob service REST API, version 2021-12-02.
package blob
