package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

func (h *Header) check() error {
	if !strings.HasPrefix(h.Schema, "twinrules/plan/v1.") {
		return fmt.Errorf("%.40q is not a plan that this version reads", h.Schema)
	}
	return nil
}

// addChange checks c, which must come after all that list has: a twin has one
// change.
func (p *planReader) addChange(list *changePile, c Change) error {
	if list.made.count > 0 && p.last.Compare(c.Ref) >= 0 {
		return fmt.Errorf("%s: a second change, or out of order", c.Ref)
	}
	p.last = c.Ref
	if err := c.check(); err != nil {
		return fmt.Errorf("%s: %w", c.Ref, err)
	}
	if err := p.plan.checkCohorts(c); err != nil {
		return fmt.Errorf("%s: %w", c.Ref, err)
	}
	list.add(&c)
	return nil
}

// check refuses a change that this program would not have made.
func (c *Change) check() error {
	if err := checkTwinRef(c.Ref); err != nil {
		return err
	}
	if len(c.Edits) == 0 {
		return errors.New("a change without edits")
	}
	for i, e := range c.Edits {
		if err := e.check(); err != nil {
			return err
		}
		if i > 0 && (e.leaf().Overlaps(c.Edits[i-1].leaf()) || c.Edits[i-1].leaf().Compare(e.leaf()) > 0) {
			return fmt.Errorf("two edits of %s, or out of order", e.Name())
		}
	}
	return nil
}

func checkTwinRef(ref twin.Ref) error {
	if ref.Configuration != "" || twin.CheckID(ref.Device) != nil || ref.Module != "" && twin.CheckID(ref.Module) != nil {
		return errors.New("this is no twin")
	}
	return nil
}

func (e *Edit) check() error {
	if e.Section != "tags" && e.Section != "desired" || len(e.Path) == 0 || hubOwned(e.leaf()) {
		return fmt.Errorf("an edit of %q", e.Name())
	}
	if twin.Equal(e.Before, e.After) {
		return fmt.Errorf("an edit of %q that changes nothing", e.Name())
	}
	return nil
}

// addConfiguration appends c, which must be one that the pack may change.
func (p *planReader) addConfiguration(c ConfigurationChange) error {
	if slices.ContainsFunc(p.plan.Configurations, func(o ConfigurationChange) bool { return o.ID == c.ID }) {
		return fmt.Errorf("configuration %.80q: a second change", c.ID)
	}
	if len(p.plan.Configurations) == maxPlanConfigurations {
		return fmt.Errorf("more than %d configurations", maxPlanConfigurations)
	}
	p.plan.Configurations = append(p.plan.Configurations, c)
	if reason := c.problem(p.plan.Pack.Name); reason != "" {
		return fmt.Errorf("configuration %.80q: %s", c.ID, reason)
	}
	return nil
}

// maxPlanConfigurations is more than what a hub holds, old and new ones.
const maxPlanConfigurations = 1000

// problem says why this program would not have made c for that pack, or "".
func (c *ConfigurationChange) problem(pack string) string {
	before, after := c.Before != nil, c.After != nil
	want, known := map[ConfigurationAction][2]bool{Create: {false, true}, Update: {true, true}, Delete: {true, false}, Keep: {true, false}}[c.Action]
	switch {
	case !known || want != [2]bool{before, after}:
		return fmt.Sprintf("no %.20q looks like this", c.Action)
	case c.Action == Create && c.ETag != "":
		return "a creation has no etag"
	case before && !c.Before.owned(c.ID, pack), after && !c.After.owned(c.ID, pack):
		return "it is not the pack's"
	}
	return ""
}

func (s *ConfigurationState) owned(id, pack string) bool {
	return rules.Owned(&twin.Configuration{ID: id, Labels: s.Labels}, pack)
}
