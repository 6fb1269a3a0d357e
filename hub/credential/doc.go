// Package credential turns configuration into a credential that signs in at
// Microsoft Entra, and says in a line why signing in failed.
//
// Start with [New]; [Kinds] lists the ways to sign in, [Explain] is for errors.
// What a credential needs is checked before any network call, and everything
// that is missing is named at once. Secrets come from the environment or from
// files, never from the configuration itself, and never go into a message.
//
// What to do with the tokens is left to package hub.
package credential
