package conform

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/abi"
)

// reads looks for what the plugin reads besides what it declares, by giving it
// the whole twin, and for what it declares and no case shows that it reads.
var reads = &Check{Name: "reads", Doc: "its answer depends on nothing but the reads that it declares", run: func(k *kit) error {
	var problems []string
	declared := k.reads()
	used := map[string]bool{}
	for _, s := range k.subjects {
		whole, err := k.module.Try(k.ctx, s.config, plugins.Trial{Whole: true})
		if err != nil {
			return err
		}
		depends, err := k.depends(s, whole)
		if err != nil {
			return err
		}
		for _, place := range depends {
			path := strings.Join(place, ".")
			if declared != nil && !slices.ContainsFunc(declared, func(read []string) bool { return within(place, read) }) {
				problems = append(problems, fmt.Sprintf("%s: it reads %s, which it does not declare and is not given", s.name, path))
			}
			used[path] = true
		}
		changed, err := k.noise(s)
		if err != nil {
			return err
		}
		problems = append(problems, changed...)
	}
	k.conclude("what it reads", problems)
	k.noteReads(declared, used)
	return nil
}}

// depends lists the leaves of s on which the answer of an instance that is given
// the whole twin depends.
func (k *kit) depends(s subject, whole judge) (list [][]string, err error) {
	before, err := ask(k.ctx, whole, s.twin, s.now)
	if err != nil {
		return nil, err
	}
	for _, section := range []string{"tags", "desired", "reported"} {
		o, _ := s.twin.Section(section)
		for _, leaf := range twin.Leaves(section, o) {
			place := append([]string{section}, leaf.Path...)
			after, err := ask(k.ctx, whole, withValue(s.twin, place, nil, true), s.now)
			if err != nil {
				return nil, err
			}
			if !before.same(after) {
				list = append(list, place)
			}
		}
	}
	timed, err := k.timed(s, whole, before)
	if timed {
		list = append(list, []string{abi.Now})
	}
	return list, err
}

// timed reports whether another time makes whole say of s something other than
// before: a bit later, on another day, in another month.
func (k *kit) timed(s subject, whole judge, before answer) (bool, error) {
	for _, later := range []time.Duration{time.Minute + time.Second, 7 * time.Hour, 24 * time.Hour, 40 * 24 * time.Hour} {
		after, err := ask(k.ctx, whole, s.twin, s.now.Add(later))
		if err != nil || !before.same(after) {
			return err == nil, err
		}
	}
	return false, nil
}

// noise changes all of the twin that the plugin does not declare to read, and
// says where the answer moves with it. A plugin that declares nothing is given
// all, and nothing is outside.
func (k *kit) noise(s subject) ([]string, error) {
	declared := k.reads()
	if declared == nil {
		return nil, nil
	}
	t := s.twin
	for _, section := range []string{"tags", "desired", "reported"} {
		if slices.ContainsFunc(declared, func(read []string) bool { return len(read) == 1 && read[0] == section }) {
			continue
		}
		o, _ := s.twin.Section(section)
		for _, leaf := range twin.Leaves(section, o) {
			place := append([]string{section}, leaf.Path...)
			if !slices.ContainsFunc(declared, func(read []string) bool { return within(place, read) || within(read, place) }) {
				t = withValue(t, place, "changed", false)
			}
		}
		t = withValue(t, []string{section, "twinrulesNoise"}, twin.Object{"pct": "changed"}, false)
	}
	after, err := ask(k.ctx, s.judge, t, s.now)
	if err != nil {
		return nil, err
	}
	return differs(s, after, "when what it does not declare changed"), nil
}

// noteReads says what could be declared, and what is declared and never mattered.
func (k *kit) noteReads(declared [][]string, used map[string]bool) {
	var paths []string
	for path := range used {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	if declared == nil && len(k.subjects) > 0 {
		k.note("it declares no reads and is given whole twins, which is slow; its cases show that it reads %s", either(strings.Join(paths, ", "), "nothing"))
	}
	for _, read := range declared {
		if (len(read) > 1 || read[0] == abi.Now) && !slices.ContainsFunc(paths, func(path string) bool { return within(strings.Split(path, "."), read) }) {
			k.note("no case shows what it reads %s for", strings.Join(read, "."))
		}
	}
}

func either(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
