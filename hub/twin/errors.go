package twin

import "errors"

// What can come of a request about one document, whoever was asked. Errors of
// package hub and of other sources wrap these; test with errors.Is.
var (
	// ErrNotFound: there is no such document.
	ErrNotFound = errors.New("not found")
	// ErrChanged: the document is no longer the one the ETag was read from.
	ErrChanged = errors.New("changed since it was read")
	// ErrThrottled: too many requests; nothing was done.
	ErrThrottled = errors.New("throttled")
	// ErrDenied: the caller is not known, or lacks a permission.
	ErrDenied = errors.New("denied")
	// ErrUnavailable: the hub, or whoever signs the caller in, was not reached;
	// nothing was done.
	ErrUnavailable = errors.New("not reached")
	// ErrMaybeApplied: the answer to a write was lost, so it may have been
	// applied or may yet be. Only reading the document again can tell.
	ErrMaybeApplied = errors.New("the answer was lost, the write may have been applied")
)
