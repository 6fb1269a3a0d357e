package plugins

import (
	"errors"
	"hash/fnv"
	"reflect"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// sampled is one in how many twins are asked about twice where memory is not put back.
const sampled = 256

// chosen reports whether a twin is one of those. It depends on its name alone, so
// that the same are chosen however the work is shared out.
func chosen(ref twin.Ref) bool {
	h := fnv.New32a()
	_, _ = h.Write([]byte(ref.Device + "/" + ref.Module)) // never fails
	return h.Sum32()%sampled == 0
}

// confirm decides what comes of a call that was made in a guest whose memory had not
// been put back before, and returns the guest to go on with. What failed is asked
// again as if nothing had been before, since what earlier calls left may be why, and
// so is who was chosen: another answer then is a failure.
func (i *Instance) confirm(g *guest, t *twin.Twin, now time.Time, a *Answer, err error) (*guest, *Answer, error) {
	if err == nil && !chosen(t.Ref) {
		g.warm = true
		return g, a, nil
	}
	if g.broken || !g.fits(i.snapshot) {
		fresh, failed := i.another()
		if failed != nil {
			return g, nil, failed
		}
		fresh.input = append(fresh.input, g.input...)
		g.close()
		g = fresh
	}
	g.warm = false
	again, failed := i.judge(g, now)
	g.warm = failed == nil
	if err == nil && (failed != nil || !again.same(a)) {
		return g, nil, &Error{Code: EvalImpure, Plugin: i.module.name, Fuel: a.Fuel, Log: a.Log, Err: errImpure,
			Hint: "put its memory back before each call, as is done unless somebody says otherwise; plugin test shows as hidden what it keeps"}
	}
	return g, again, failed
}

var errImpure = errors.New("it says something else of the twin once its memory has been put back: it keeps something of earlier calls")

// same reports whether two answers say the same. What they cost is not compared.
func (a *Answer) same(b *Answer) bool {
	return reflect.DeepEqual(a.Finding, b.Finding) && a.Severity == b.Severity && reflect.DeepEqual(a.Labels, b.Labels)
}
