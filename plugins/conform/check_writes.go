package conform

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
)

// writes looks whether a patch goes beyond what is declared. The host refuses such
// an answer; here it is a mistake of the plugin for whatever twin it is given.
var writes = &Check{Name: "writes", Doc: "its patch stays within the writes that it declares", run: func(k *kit) error {
	var problems []string
	used := map[string]bool{}
	for _, s := range k.all() {
		if s.said.code == plugins.EvalWrite {
			problems = append(problems, fmt.Sprintf("%s: %v", s.name, s.said.doc["error"]))
		}
		for section, o := range map[string]twin.Object{"tags": s.said.patch.Tags, "desired": s.said.patch.Desired} {
			for _, leaf := range twin.Leaves(section, o) {
				used[strings.Join(append([]string{section}, leaf.Path...), ".")] = true
			}
		}
	}
	k.conclude("what it writes", problems)
	k.noteWrites(used)
	return nil
}}

func (k *kit) noteWrites(used map[string]bool) {
	m := k.module.Report().Manifest
	if m == nil {
		return
	}
	for _, path := range m.Writes {
		granted := strings.Split(path, ".")
		seen := false
		for place := range used {
			seen = seen || within(strings.Split(place, "."), granted)
		}
		if !seen {
			k.note("it may write %s, and no case shows that it does", path)
		}
	}
}

// settled applies each patch and asks again. A rule whose plugin always wants
// something else would write to its devices in every run.
var settled = &Check{Name: "settled", Doc: "once its patch is applied it wants nothing more", run: func(k *kit) error {
	var problems []string
	n := 0
	for _, s := range k.all() {
		if s.said.patch.Empty() {
			continue
		}
		n++
		after := s.twin.With(s.said.patch)
		again, err := ask(k.ctx, s.judge, after, s.now)
		if err != nil {
			return err
		}
		if left := touched(after, again.patch); len(left) > 0 {
			problems = append(problems, fmt.Sprintf("%s: it then changes %s", s.name, strings.Join(left, ", ")))
		}
	}
	k.conclude(fmt.Sprintf("%d patches", n), problems)
	return nil
}}

// touched lists the places that a patch would change in t.
func touched(t *twin.Twin, p twin.Patch) (list []string) {
	for section, o := range map[string]twin.Object{"tags": p.Tags, "desired": p.Desired} {
		have, _ := t.Section(section)
		for _, touch := range twin.Touches(have, o) {
			list = append(list, strings.Join(append([]string{section}, touch.Path...), "."))
		}
	}
	slices.Sort(list)
	return list
}
