package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/plugins"
)

// The flags with which an operator limits plugins. They are flags of every command,
// as [dumpFlag] is. What a pack or a plugin says of itself cannot raise them.
const (
	fuelFlag      = "plugin-fuel"
	memoryFlag    = "plugin-memory"
	budgetFlag    = "plugin-budget"
	isolationFlag = "plugin-isolation"
)

// The most that an operator may give: seconds for one twin, and a quarter of what a
// module can address.
const (
	maxFuel      = 1_000_000_000
	maxMemoryMiB = 1024
	maxBudget    = 1_000_000_000_000_000 // of a run: a fortnight's
)

// noBudget is the value of budgetFlag for a run that may use any fuel.
const noBudget = "none"

// The values of isolationFlag.
const (
	perCall = "call"
	perRun  = "run"
)

func addLimitFlags(root *cobra.Command) {
	flags := root.PersistentFlags()
	flags.String(fuelFlag, "10000000", "units of fuel that a plugin has for one twin")
	flags.String(memoryFlag, "64", "MiB of memory that a plugin has")
	flags.String(budgetFlag, noBudget, "units of fuel that plugins have for all twins of a run together")
	flags.String(isolationFlag, perCall, `when the memory of plugins is put back: before each "call", or once in a "run", for speed, which shows what they keep`)
}

// pluginLimits returns options with the limits that the flags of a command set.
func pluginLimits(cmd *cobra.Command) (o plugins.Options, err error) {
	var mebibytes int64
	if o.Fuel, err = limit(cmd, fuelFlag, maxFuel); err != nil {
		return o, err
	}
	if mebibytes, err = limit(cmd, memoryFlag, maxMemoryMiB); err != nil {
		return o, err
	}
	o.Memory = mebibytes << 20
	switch text := pluginFlag(cmd, isolationFlag); text {
	case perCall:
	case perRun:
		o.PerRun = true
	default:
		return o, usagef("--%s: %q is neither %s nor %s", isolationFlag, text, perCall, perRun)
	}
	return o, nil
}

// pluginBudget returns the fuel of a run, 0 for any.
func pluginBudget(cmd *cobra.Command) (int64, error) {
	if pluginFlag(cmd, budgetFlag) == noBudget {
		return 0, nil
	}
	return limit(cmd, budgetFlag, maxBudget)
}

func limit(cmd *cobra.Command, flag string, most int64) (int64, error) {
	n, err := strconv.ParseInt(pluginFlag(cmd, flag), 10, 64)
	if err != nil || n < 1 || n > most {
		return 0, usagef("--%s: %q is no number from 1 to %d", flag, pluginFlag(cmd, flag), most)
	}
	return n, nil
}
