package fleet

// A Wish is a place that the rules of a race want to hold a value.
type Wish struct {
	Section string // tags or desired
	Path    []string
	JSON    string // the value
	Other   string // another one, that twins hold which are adrift
}

// CareTags and Policies are where the rules of a race write. No rule reads them,
// so that a pass settles at once and engines that know no rounds agree.
var (
	CareTags = []Wish{
		{"tags", []string{"care", "drift"}, `true`, `false`},
		{"tags", []string{"care", "attention"}, `true`, `false`},
		{"tags", []string{"care", "desk"}, `"fleet-ops"`, `"none"`},
		{"tags", []string{"care", "fault"}, `"open"`, `"closed"`},
	}
	Policies = []Wish{
		{"desired", []string{"policy", "everySec"}, `900`, `60`},
		{"desired", []string{"policy", "saver"}, `true`, `false`},
	}
)

// asWanted draws the members at the last step of wishes. One that is adrift
// holds the other value, or is not there.
func asWanted(d dice, o *Options, wishes []Wish) []member {
	list := make([]member, 0, len(wishes))
	for _, w := range wishes {
		key := w.Path[len(w.Path)-1]
		switch {
		case !d.chance(o.Adrift):
			list = append(list, raw(key, w.JSON))
		case d.chance(500):
			list = append(list, raw(key, w.Other))
		}
	}
	return list
}
