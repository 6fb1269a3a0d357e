// Command generate makes the fleets of the examples. They are drawn with a
// seed, so that each run makes the same files; a test beside it says so.
//
//	go run ./examples/rules/generate
//	go run ./examples/rules/generate -twins 10000 -family all -out big.ndjson.zst
//
// Start with stories, the fleets, and families, what they are made of. How a
// hub writes a twin is in document.go.
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/twinrules/twinrules/hub/snapshot"
	"github.com/twinrules/twinrules/hub/twin"
)

// taken is when all fleets were read.
var taken = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// A fleet is what one file holds.
type fleet struct {
	name, hub      string
	twins          int
	seed           uint64
	mix            []family // drawn from evenly; a family that stands here twice comes twice as often
	configurations []*twin.Configuration
}

// stories lists the fleets of the examples, each named for its folder. That of
// the cookbook is for the recipes that the first has nothing for.
var stories = []fleet{
	{name: "cold-chain", hub: "demo.azure-devices.net", twins: 600, seed: 24, mix: allFamilies},
	{name: "firmware-channel", hub: "fleet-eu.azure-devices.net", twins: 560, seed: 1, mix: append(slices.Repeat([]family{gateways}, 6), allFamilies...), configurations: logging},
	{name: "geofence", hub: "fleet-eu.azure-devices.net", twins: 540, seed: 1, mix: append(slices.Repeat([]family{locators}, 9), allFamilies...)},
	{name: "pumps", hub: "waterworks.azure-devices.net", twins: 500, seed: 4, mix: []family{pumps}},
	{name: "cookbook/buildings", hub: "buildings.azure-devices.net", twins: 500, seed: 3, mix: []family{buildings}},
}

// logging is a configuration that somebody made by hand. twinrules leaves it.
var logging = []*twin.Configuration{{
	ID: "gateway-logging", ETag: "MQ==", Labels: map[string]string{"owner": "ops@contoso.example"}, TargetCondition: "tags.kind = 'gateway'", Priority: 5,
	Content: twin.Object{"deviceContent": twin.Object{"properties.desired.logging": twin.Object{"level": "warn"}}},
}}

func main() {
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("generate", flag.ContinueOnError)
	root := flags.String("root", filepath.Join("examples", "rules"), "folder of the stories")
	out := flags.String("out", "", "write one fleet to this file, instead of those of the stories")
	twins := flags.Int("twins", 10000, "with -out: how many twins")
	name := flags.String("family", "all", "with -out: a family, or all")
	seed := flags.Uint64("seed", 1, "with -out: what is drawn")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *out == "" {
		return writeStories(*root)
	}
	mix, err := mixOf(*name)
	if err != nil {
		return err
	}
	return fleet{hub: "fleet-eu.azure-devices.net", twins: *twins, seed: *seed, mix: mix}.write(*out)
}

func writeStories(root string) error {
	for _, f := range stories {
		if err := f.write(filepath.Join(root, f.name, "fleet.ndjson.zst")); err != nil {
			return err
		}
	}
	return nil
}

func mixOf(name string) ([]family, error) {
	if name == "all" {
		return allFamilies, nil
	}
	var known []string
	for _, f := range allFamilies {
		if f.name == name {
			return []family{f}, nil
		}
		if !slices.Contains(known, f.name) {
			known = append(known, f.name)
		}
	}
	return nil, fmt.Errorf("no family %q: it is all or one of %q", name, known)
}

// write draws the fleet and records it as pulling it from a hub does: devices,
// then modules.
func (f fleet) write(path string) error {
	queries := []string{"SELECT * FROM devices", "SELECT * FROM devices.modules"}
	r, err := snapshot.Create(path, f.hub, taken, queries)
	if err != nil {
		return err
	}
	defer r.Abort() // does nothing once it is finished
	for _, t := range f.draw() {
		if err := r.Twin(t); err != nil {
			return err
		}
	}
	for _, c := range f.configurations {
		if err := r.Configuration(c); err != nil {
			return err
		}
	}
	_, err = r.Finish(true)
	return err
}

func (f fleet) draw() []*twin.Twin {
	d := newDice(f.seed)
	made := map[string]int{}
	var list []*twin.Twin
	for len(list) < f.twins {
		family := pick(d, f.mix...)
		made[family.name]++
		for _, doc := range family.draw(d, made[family.name]) {
			t, err := twin.Parse(doc.encode(d))
			if err != nil {
				panic(err) // of our own making
			}
			list = append(list, t)
		}
	}
	list = list[:f.twins] // the last device may lose a module
	slices.SortStableFunc(list, func(a, b *twin.Twin) int {
		return cmp.Or(cmp.Compare(min(1, len(a.Ref.Module)), min(1, len(b.Ref.Module))), a.Ref.Compare(b.Ref))
	})
	return list
}
