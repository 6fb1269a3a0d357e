// Pack writes the rules of a race in the languages of the engines that are no Go:
//
//	pack -rules 50 DIR
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/twinrules/twinrules/bench/pack"
)

func main() {
	n := flag.Int("rules", 10, "rules")
	flag.Parse()
	if err := write(flag.Arg(0), pack.Make(*n)); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func write(dir string, rules []pack.Rule) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for name, text := range map[string]string{
		"pack.yaml": pack.YAML(rules), "pack.cjs": pack.Module(rules), "pack.jq": pack.Filter(rules),
		"pack.sql": pack.Statements(rules), "pack.rego": pack.Policy(rules),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			return err
		}
	}
	return nil
}
