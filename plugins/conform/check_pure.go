package conform

import (
	"fmt"
	"math/rand/v2"

	"github.com/twinrules/twinrules/plugins"
)

// pure asks again, in another order and in instances that are new. It finds
// mistakes of the host rather than of plugins, whose memory is put back.
var pure = &Check{Name: "pure", Doc: "the same twin gets the same answer for the same fuel, in any order and in new instances", run: func(k *kit) error {
	list := k.all()
	shuffle := rand.New(rand.NewPCG(1, 2))
	var problems []string
	for _, i := range shuffle.Perm(len(list)) {
		s := list[i]
		again, err := k.ask(s)
		if err != nil {
			return err
		}
		problems = append(problems, differs(s, again, "when asked in another order")...)
	}
	for _, s := range k.subjects {
		fresh, err := k.module.Instance(k.ctx, s.config)
		if err != nil {
			return err
		}
		again, err := ask(k.ctx, fresh, s.twin, s.now)
		if err != nil {
			return err
		}
		problems = append(problems, differs(s, again, "in a new instance")...)
	}
	k.conclude(fmt.Sprintf("%d twins in another order, %d in new instances", len(list), len(k.subjects)), problems)
	return nil
}}

func differs(s subject, again answer, how string) []string {
	switch {
	case !s.said.same(again):
		return []string{fmt.Sprintf("%s: another answer %s", s.name, how)}
	case s.said.fuel != again.fuel:
		return []string{fmt.Sprintf("%s: %d units of fuel, and %d %s", s.name, s.said.fuel, again.fuel, how)}
	}
	return nil
}

// hidden asks about one twin, another, and the first again in an instance whose
// memory is not put back. It finds plugins that count on remembering, which they
// do not when a rule uses them.
var hidden = &Check{Name: "hidden", Doc: "it keeps nothing of a call that another one would show: asked about A, B and A again without being put back, it says the same of A", run: func(k *kit) error {
	var problems []string
	for i, a := range k.subjects {
		b := k.subjects[(i+1)%len(k.subjects)]
		said, err := k.remember(a, b)
		if err != nil {
			return err
		}
		if !said[0].same(said[2]) || !said[0].same(a.said) {
			problems = append(problems, fmt.Sprintf("%s: another answer after %s; what a call keeps is gone in the next one, so decide from the twin alone", a.name, b.name))
		}
	}
	k.conclude("answers after other calls", problems)
	return nil
}}

// remember asks an instance that remembers about a, b and a.
func (k *kit) remember(a, b subject) (said [3]answer, err error) {
	i, err := k.module.Try(k.ctx, a.config, plugins.Trial{Remembers: true})
	if err != nil {
		return said, err
	}
	for n, s := range []subject{a, b, a} {
		if said[n], err = ask(k.ctx, i, s.twin, s.now); err != nil {
			return said, err
		}
	}
	return said, nil
}
