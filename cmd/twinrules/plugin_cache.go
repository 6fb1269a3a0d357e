package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/plugins"
)

// cacheFlag is a flag of every command, as [dumpFlag] is.
const cacheFlag = "plugin-cache"

// noCache is its value for none.
const noCache = "off"

func addCacheFlag(root *cobra.Command) {
	root.PersistentFlags().String(cacheFlag, "", `folder that keeps compiled plugins, or "off" (default $XDG_CACHE_HOME/twinrules/compiled or ~/.cache/twinrules/compiled; off where CI=true)`)
}

// A codeCache is where a command keeps the code of plugins.
type codeCache struct {
	env *environment
	dir string // "" for nowhere
}

type codeCacheKey struct{}

// keepCode puts the place for compiled plugins into the context of a command. What
// is kept is run as it is, so that jobs that may be given each other's caches have
// none unless they ask.
func (env *environment) keepCode(cmd *cobra.Command) {
	dir, err := cmd.Flags().GetString(cacheFlag)
	if err != nil {
		panic(err) // a flag of all commands
	}
	ci, _ := env.lookup("CI")
	switch store := env.store().dir; {
	case dir == noCache || dir == "" && (ci == "true" || store == ""):
		dir = ""
	case dir == "":
		dir = filepath.Join(store, "compiled")
	}
	cmd.SetContext(context.WithValue(cmd.Context(), codeCacheKey{}, &codeCache{env, dir}))
}

// codeCacheOf returns the place that the command has, none where there is none.
func codeCacheOf(ctx context.Context) *codeCache {
	if c, ok := ctx.Value(codeCacheKey{}).(*codeCache); ok {
		return c
	}
	return &codeCache{}
}

// warn says why code is not kept where it should be. The plugins run all the same.
func (c *codeCache) warn(host *plugins.Host) {
	if err := host.CacheProblem(); err != nil {
		fmt.Fprintf(c.env.stderr, "twinrules: compiled plugins are not kept: %s\n", oneLine(err))
	}
}
