// Package report shows plans and differences to people and programs: as text
// for a terminal, as Markdown for a pull request, as JSON for scripts.
//
// Start with [Formats], the list of the ways to show, and [Find]. All of them
// show the same [Row]s, in which equal changes are one. Rows hold text that
// devices wrote, and each format sees to it that such text stays text: a
// terminal gets no control character, Markdown has it in code spans.
//
// A plan's file, which holds every change one by one, is left to package engine.
package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/twinrules/twinrules/engine"
)

// A Format is a way to show a plan or a difference.
type Format struct {
	Name, Doc  string
	Plan       func(w io.Writer, p *engine.Plan, opts *Options) error
	Difference func(w io.Writer, d *engine.Difference, opts *Options) error
}

// Formats lists the ways to show, in the order help shows them.
var Formats = []*Format{Text, Markdown, JSON}

// Find returns the format called name, or an error that lists what is known.
func Find(name string) (*Format, error) {
	var known []string
	for _, f := range Formats {
		if f.Name == name {
			return f, nil
		}
		known = append(known, f.Name)
	}
	return nil, fmt.Errorf("unknown format %q: it is one of %s", name, strings.Join(known, ", "))
}

// Options holds the optional settings of a [Format].
type Options struct {
	Color bool // mark additions, changes and removals with terminal colours
	Width int  // columns of the terminal; 0 means 100
}

func (o *Options) width() int {
	if o == nil || o.Width <= 0 {
		return 100
	}
	return o.Width
}

func (o *Options) color() bool { return o != nil && o.Color }
