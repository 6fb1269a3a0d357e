package plugins

import (
	"context"
	"log/slog"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/twinrules/twinrules/plugins/abi"
	"github.com/twinrules/twinrules/plugins/wasm"
)

// initialize makes the first guest, gives it config, and keeps what it then
// holds for all calls and guests to start from.
func (i *Instance) initialize(ctx context.Context, config []byte) error {
	g, err := newGuest(i.module, i.config, nil)
	if err != nil {
		return &Error{Code: InitTrap, Plugin: i.module.name, Err: reason(err, nil)}
	}
	g.env.begin(time.Unix(0, 0), config)
	answer, err := g.initialize(config)
	i.say(ctx, nil, g.env.said())
	if err == nil && answer != nil {
		err = refusal(answer)
	}
	if err != nil {
		defer g.close()
		return i.initFailure(g, err)
	}
	i.keep(ctx, g)
	return nil
}

// keep takes the snapshot that all guests start from. g serves calls, too, unless
// guests can be had whose memory is put back in less time.
func (i *Instance) keep(ctx context.Context, g *guest) {
	i.snapshot = g.snapshot()
	var err error
	if i.image, err = i.module.host.newImage(i.snapshot.pages); err != nil {
		i.module.log.LogAttrs(ctx, slog.LevelDebug, "memory is compared before each call", slog.Any("reason", err))
	}
	if i.image != nil {
		g.close()
		return
	}
	i.free = append(i.free, g)
}

// initialize runs what a module wants to run first, and sizes the buffer for
// input. It returns what init answers, nil when it accepts config.
func (g *guest) initialize(config []byte) ([]byte, error) {
	for _, f := range g.firsts() {
		if _, err := g.call(f, 0, 0); err != nil {
			return nil, err
		}
	}
	if g.env.extism != nil {
		return nil, nil
	}
	if f := g.mod.ExportedFunction(abi.Init); f != nil {
		if answer, err := g.ask(f, config); err != nil || answer != nil {
			return answer, err
		}
	}
	at, err := g.call(g.alloc, firstRoom, 0)
	if g.at, g.room = uint32(at), 0; g.at != 0 {
		g.room = firstRoom
	}
	return nil, err
}

// firsts lists what is to run before anything else, for modules of Extism as Extism
// does.
func (g *guest) firsts() (list []api.Function) {
	names := []string{wasm.StartExport, abi.Initialize}
	if g.env.extism != nil {
		if g.mod.ExportedFunction(abi.Initialize) == nil {
			names = append(names, abi.Constructors)
		}
		names = append(names, abi.Haskell)
	}
	for _, name := range names {
		if f := g.mod.ExportedFunction(name); f != nil {
			list = append(list, f)
		}
	}
	return list
}

func (i *Instance) initFailure(g *guest, err error) *Error {
	budget := i.module.options.InitFuel
	e := &Error{Code: InitError, Plugin: i.module.name, Fuel: budget - max(0, g.left()), Log: g.env.said(), Err: err}
	switch {
	case g.left() < 0:
		e.Code, e.Err = InitFuel, fuelError(budget)
	case crashed(err):
		e.Code, e.Err, e.Trace = InitTrap, reason(err, e.Log), err.Error()
	}
	return e
}
