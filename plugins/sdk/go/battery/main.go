// Command battery finds devices whose battery is low. It is the sample that there
// is in each language, to start from.
package main

import (
	"errors"

	plugin "github.com/twinrules/twinrules/plugins/sdk/go"
)

var _ = plugin.Main(configure)

func main() {}

func configure(config plugin.Value) (plugin.Judge, error) {
	low, ok := config.Get("low").Float()
	if !ok {
		return nil, errors.New("low is not a number")
	}
	return func(in plugin.Input, a *plugin.Answer) (bool, error) { return judge(low, in, a) }, nil
}

func judge(low float64, in plugin.Input, a *plugin.Answer) (bool, error) {
	charge := in.Twin.Get("reported.battery.pct")
	percent, ok := charge.Float()
	switch {
	case !charge.Exists():
		return false, nil
	case !ok:
		return false, errors.New("the charge is not a number: " + charge.Raw())
	case percent >= low:
		return false, nil
	}
	owner, ok := in.Twin.Get("tags.owner").Text()
	if !ok {
		owner = "somebody"
	}
	a.Fact("pct", charge) // as the device spells it
	a.Fact("missing", low-percent)
	a.Fact("at", in.Now)
	if note := in.Twin.Get("reported.note"); note.Exists() {
		a.Fact("note", note)
	}
	a.Set("tags.power", "saver")
	a.Set("tags.full", nil)
	a.Set("desired.report.everyMin", 60)
	a.Set("desired.report.brief", true)
	a.Message(owner + " should charge it")
	a.Severity("warning")
	a.Label("owner", owner)
	return true, nil
}
