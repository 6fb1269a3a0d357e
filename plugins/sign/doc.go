// Package sign signs modules and checks signatures, as two tools do that people
// have already: minisign, whose signatures are small files, and cosign with a key,
// whose signatures stand beside an image in a registry.
//
// Start with [ParseMinisign] or [ParseCosign] to check, with [ParseMinisignSecret]
// or [ParseCosignSecret] to sign. Nothing here reads files or asks anybody; which
// keys count is left to the caller. Errors never quote a secret.
package sign
