package emulator

import (
	"github.com/twinrules/twinrules/hub/twin"
	"time"
)

var transferRoutes []route

type transfers struct{}
type Container any
type importFailure struct{}

func (h *hub) importTwin(entry twin.Object, now time.Time) []importFailure { return nil }
