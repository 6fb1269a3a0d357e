package plugins

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins/abi"
)

// A Failure is a call that failed, with all that it depended on: the same module
// fails again in the same way, see [Module.Replay].
type Failure struct {
	Module string // its digest
	Config twin.Object
	Now    time.Time
	Input  []byte     // an abi.Input, as the module was given it
	Limits abi.Limits // what the call had, to be given to the host that makes it again
	Err    *Error
}

// tell reports a failure to whom it concerns.
func (i *Instance) tell(g *guest, now time.Time, failed *Error) {
	if i.module.options.Failed == nil {
		return
	}
	fuel, memory := i.module.Limits()
	i.module.options.Failed(&Failure{
		Module: i.module.report.Digest, Config: i.config, Now: now, Input: g.input, Limits: abi.Limits{Fuel: fuel, Memory: memory}, Err: failed,
	})
}

// ErrOtherModule says that a failure is one of another module.
var ErrOtherModule = errors.New("another module")

// Replay makes a call that failed again, and returns what comes of it as
// [Instance.Judge] does, with the limits of the host. The failure of another module is refused with
// [ErrOtherModule].
func (m *Module) Replay(ctx context.Context, f *Failure) (*Answer, error) {
	if f.Module != m.report.Digest {
		return nil, fmt.Errorf("replay a failure of %s: %w, this is %s", f.Module, ErrOtherModule, m.report.Digest)
	}
	if len(f.Input) > abi.MaxInput {
		return nil, fmt.Errorf("replay a failure: the input has more than %d bytes", abi.MaxInput)
	}
	i, err := m.Instance(ctx, f.Config)
	if err != nil {
		return nil, err
	}
	g, err := i.take(ctx)
	if err != nil {
		return nil, err
	}
	defer i.put(g)
	g.input = append(g.input[:0], f.Input...)
	a, err := i.judge(g, f.Now)
	if failed, ok := errors.AsType[*Error](err); ok {
		failed.Ref, failed.Rule = f.Err.Ref, f.Err.Rule
	}
	return a, err
}

const failureKind = "PluginFailure"

// Format writes f as a file, a JSON object. The input stands in it as text, so that
// no byte of it is spelled otherwise.
func (f *Failure) Format() []byte {
	doc := twin.Object{
		"apiVersion": abi.ManifestVersion, "kind": failureKind, "module": f.Module, "plugin": f.Err.Plugin,
		"config": f.Config, "now": f.Now.UTC().Format(time.RFC3339Nano), "input": string(f.Input),
		"limits": twin.Object{"fuel": f.Limits.Fuel, "memory": f.Limits.Memory},
		"device": f.Err.Ref.Device, "deviceModule": f.Err.Ref.Module, "rule": f.Err.Rule,
		"code": string(f.Err.Code), "error": f.Err.Err.Error(), "fuel": f.Err.Fuel,
	}
	return append(twin.Encode(doc), '\n')
}

// ParseFailure reads what [Failure.Format] wrote.
func ParseFailure(data []byte) (*Failure, error) {
	doc, err := twin.DecodeObject(data)
	if err != nil {
		return nil, fmt.Errorf("read failure: %w", err)
	}
	if doc["kind"] != failureKind || doc["apiVersion"] != abi.ManifestVersion {
		return nil, fmt.Errorf("read failure: it is no %s of %s", failureKind, abi.ManifestVersion)
	}
	text := func(key string) string { s, _ := doc[key].(string); return s }
	now, err := time.Parse(time.RFC3339Nano, text("now"))
	if err != nil {
		return nil, fmt.Errorf("read failure: its time: %w", err)
	}
	f := &Failure{Module: text("module"), Now: now, Input: []byte(text("input"))}
	f.Config, _ = doc["config"].(twin.Object)
	f.Err = &Error{
		Code: Code(text("code")), Plugin: text("plugin"), Rule: text("rule"), Err: errors.New(text("error")),
		Ref: twin.Ref{Device: text("device"), Module: text("deviceModule")},
	}
	limits, _ := doc["limits"].(twin.Object)
	for _, n := range []struct {
		in   twin.Object
		name string
		to   *int64
	}{{doc, "fuel", &f.Err.Fuel}, {limits, "fuel", &f.Limits.Fuel}, {limits, "memory", &f.Limits.Memory}} {
		number, _ := n.in[n.name].(json.Number)
		if *n.to, err = number.Int64(); err != nil || *n.to < 0 {
			return nil, fmt.Errorf("read failure: its %s: %q is no amount", n.name, number)
		}
	}
	return f, nil
}
