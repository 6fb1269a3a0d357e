package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/credential"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/rules"
)

// The exit codes.
const (
	exitDone        = 0
	exitFailed      = 1
	exitChanges     = 2
	exitGuard       = 3
	exitPartial     = 4
	exitUsage       = 64
	exitInterrupted = 130
)

// An exitError ends the command with a code; a nil err says that everything has
// been said.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// quiet ends the command with code and without another word.
func quiet(code int) error { return &exitError{code, nil} }

// usage marks err as a mistake in how the command was called.
func usage(err error) error { return &exitError{exitUsage, err} }

func usagef(format string, args ...any) error { return usage(fmt.Errorf(format, args...)) }

// exit says what went wrong and returns the exit code.
func (e *environment) exit(ctx context.Context, err error) int {
	if err == nil {
		return exitDone
	}
	code := exitFailed
	var exit *exitError
	if errors.As(err, &exit) {
		code = exit.code
		if exit.err == nil {
			return code
		}
	} else if isUsage(err) {
		code = exitUsage
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		fmt.Fprintln(e.stderr, "twinrules: interrupted")
		return exitInterrupted
	}
	if errors.Is(err, engine.ErrNotApplicable) || costly(err) {
		code = exitGuard
	}
	e.say(err)
	if code == exitUsage {
		fmt.Fprintf(e.stderr, "see %s --help\n", e.self)
	}
	return code
}

// isUsage recognises the mistakes that the command line library finds.
func isUsage(err error) bool {
	for _, start := range []string{"accepts ", "requires at least", "required flag", "if any flags in the group"} {
		if strings.HasPrefix(err.Error(), start) {
			return true
		}
	}
	return false
}

// say prints an error: mistakes of a pack with their places, failures at a hub
// with their next step, others in a line.
func (e *environment) say(err error) {
	var list rules.Diagnostics
	switch {
	case errors.As(err, &list):
		writeDiagnostics(e.stderr, list)
	default:
		fmt.Fprintln(e.stderr, "twinrules: "+explain(err))
		var plugin *plugins.Error
		if errors.As(err, &plugin) && plugin.Hint != "" {
			fmt.Fprintln(e.stderr, "  hint: "+rules.Excerpt(plugin.Hint, 300))
		}
		if costly(err) {
			fmt.Fprintln(e.stderr, "  hint: nothing was written; twinrules plugin bench says what a call costs; let the rules' on and selector take fewer twins and the manifest's reads less of each, or raise --"+budgetFlag)
		}
	}
}

// costly reports whether plugins used more than a run may.
func costly(err error) bool {
	var e *engine.FuelError
	return errors.As(err, &e)
}

// explain returns one clear line: the cause, the place, the next step.
func explain(err error) string {
	for _, explained := range []func(error) string{explainHub, credential.Explain} {
		if line := explained(err); line != "" {
			return line
		}
	}
	return oneLine(err)
}

// explainHub explains failures of requests to a hub only.
func explainHub(err error) string {
	var failed *hub.Error
	if !errors.As(err, &failed) {
		return ""
	}
	return hub.Explain(err)
}

func oneLine(err error) string {
	line := strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "\n", "; ")), " ")
	return rules.Excerpt(line, 600)
}

// partial reports whether err leaves something undone that the next run will
// find and do.
func partial(err error) bool {
	return errors.Is(err, twin.ErrThrottled) || errors.Is(err, twin.ErrUnavailable) || errors.Is(err, twin.ErrMaybeApplied)
}
