package main

import (
	"path/filepath"

	"github.com/spf13/cobra"
)

// cacheFlag is a flag of every command, as [dumpFlag] is.
const cacheFlag = "plugin-cache"

// noCache is its value for none.
const noCache = "off"

func addCacheFlag(root *cobra.Command) {
	root.PersistentFlags().String(cacheFlag, "", `folder that keeps compiled plugins, or "off" (default $XDG_CACHE_HOME/twinrules/compiled or ~/.cache/twinrules/compiled; off where CI=true)`)
}

// codeFolder returns the folder for compiled plugins, "" for none. What is kept is run
// as it is, so that jobs that may be given each other's caches have none unless they
// ask.
func (env *environment) codeFolder(cmd *cobra.Command) string {
	ci, _ := env.lookup("CI")
	switch dir, store := pluginFlag(cmd, cacheFlag), env.store().dir; {
	case dir == noCache || dir == "" && (ci == "true" || store == ""):
		return ""
	case dir == "":
		return filepath.Join(store, "compiled")
	default:
		return dir
	}
}
