package conform

import (
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Subject is a twin of a suite at the moment of its case.
type Subject struct {
	Twin *twin.Twin
	Now  time.Time
}

// Subjects returns the twins of the cases that have the suite's own configuration.
func (s *Suite) Subjects() (list []Subject) {
	for _, c := range s.Cases {
		if !c.own.config {
			list = append(list, Subject{c.parsed, c.Now})
		}
	}
	return list
}
