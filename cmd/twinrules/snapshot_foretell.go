package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twinrules/twinrules/hub"
	"github.com/twinrules/twinrules/hub/estimate"
)

// worthTelling is how long work takes that one is told of before.
const worthTelling = 10 * time.Second

// foretellPull says how long it will take to read a hub by queries, when that is
// long enough to go and do something else.
func (env *environment) foretellPull(ctx context.Context, f *fleet) {
	client, ok := f.Source.(*hub.Client)
	if !ok {
		return
	}
	n, known := devicesOn(ctx, client)
	takes := queryTime(client, n)
	if !known || takes < worthTelling {
		return
	}
	rate, per := client.Pacer().Rate(hub.Queries)
	fmt.Fprintf(env.stderr, "twinrules: reading %s takes at least %s, longer with modules: the hub takes %d queries in %s, as far as is known (see --tier); "+
		"--via export is not held back by that\n", plural(n, "device"), takes.Round(time.Second), rate, per)
}

// queryTime returns how long it takes at least to read n devices by queries.
func queryTime(client *hub.Client, n int) time.Duration {
	return client.Pacer().Estimate(hub.Queries, (n+estimate.Rows-1)/estimate.Rows)
}

// devicesOn counts the devices of a hub: by its statistics, else, if those may not
// be read, by a query.
func devicesOn(ctx context.Context, client *hub.Client) (n int, known bool) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second) // it is not worth more
	defer cancel()
	registry := client.NewRegistryClient()
	if s, err := registry.GetRegistryStatistics(ctx, nil); err == nil {
		return int(s.Total), true
	}
	for row, err := range registry.Rows(ctx, "SELECT COUNT() AS n FROM devices", nil) {
		var counted struct{ N int }
		if err != nil || json.Unmarshal(row, &counted) != nil {
			break
		}
		return counted.N, true
	}
	return 0, false
}
