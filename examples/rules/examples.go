// Package examples holds rule packs that a fleet operator would recognise, each
// in a folder with its fleet, the plan to expect, and a paragraph. They run as
// tests; the first is also what "twinrules demo" shows.
//
// The fleets are made by the generator in folder generate.
package examples

import "embed"

// ColdChain is the pack and the fleet of the folder cold-chain.
//
//go:embed cold-chain/pack.yaml cold-chain/fleet.ndjson.zst
var ColdChain embed.FS
