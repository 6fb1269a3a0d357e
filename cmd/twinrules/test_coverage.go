package main

import "fmt"

// A coverageError says that the tests of a pack see too little of it.
type coverageError struct{ is, least int }

func (e coverageError) Error() string {
	return fmt.Sprintf("the tests see %d %% of the pack, and --coverage-min asks for %d %%", e.is, e.least)
}
