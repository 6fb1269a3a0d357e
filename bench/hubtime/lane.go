package main

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/twinrules/twinrules/hub/estimate/virtual"
)

// writers and readers are how many twins are written and got at once: as apply
// does by default, and as many as a client has connections.
const (
	writers = 8
	readers = 64
)

// A lane is a row of the table.
type lane struct {
	name string
	ways []string // what it does, as the estimate calls that
	goes virtual.Lane
	each bool // a request for each twin of the fleet
}

var (
	narrowed  = lane{"read: narrowed query", []string{"narrowed query"}, virtual.Narrowed, false}
	everybody = lane{"read: query of everybody", []string{"query of everybody"}, virtual.Whole, false}
	oneByOne  = lane{"read: point reads", []string{"point reads of a known inventory"}, virtual.PointReads(readers), true}
	patches   = lane{"write: patches of 2 %", []string{"patch each twin under its etag"}, virtual.Patches(writers), false}
	naive     = lane{"naive loop, all of it", []string{"query of everybody", "point reads of a known inventory", "patch each twin under its etag"}, virtual.Naive(readers), true}
)

// lanes lists them in the order of the table.
var lanes = []lane{narrowed, everybody, oneByOne, patches, naive}

// measured is what lanes took, by their names.
type measured map[string]virtual.Measurement

// measure measures the lanes of one hub: those with a request for each twin on a fleet
// that is no larger than they are gone for.
func (b *bench) measure(ctx context.Context, size virtual.Size) (measured, error) {
	small := size
	small.Devices = min(size.Devices, b.each)
	if b.gone[small] == nil {
		took, err := b.measureSome(ctx, small, true)
		if err != nil {
			return nil, err
		}
		b.gone[small] = took
	}
	took, err := b.measureSome(ctx, size, false)
	if err == nil {
		maps.Copy(took, b.gone[small])
	}
	return took, err
}

// measureSome measures the lanes with a request for each twin, or the others.
func (b *bench) measureSome(ctx context.Context, size virtual.Size, each bool) (took measured, err error) {
	h, err := virtual.Start(size, b.key)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	took = measured{}
	for _, l := range lanes {
		if l.each != each {
			continue
		}
		if took[l.name], err = h.Measure(ctx, l.goes); err != nil {
			return nil, fmt.Errorf("%s: %w", l.name, err)
		}
	}
	return took, nil
}
