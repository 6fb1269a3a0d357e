package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	examples "github.com/twinrules/twinrules/examples/rules"
	"github.com/twinrules/twinrules/rules"
)

// What init writes, with NAME, FOLDER, PATHS and VERSION to fill in.
var (
	//go:embed scaffold/pack.yaml
	packScaffold string
	//go:embed scaffold/workflow.yml
	workflowScaffold string
)

func newInit(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "init [DIR]",
		Short: "Start a pack: one rule, one test, an editor's schema, a workflow for pull requests",
		Long: `init writes into DIR, by default the current folder, a pack with one rule that passes its test and has
something to do on the sample fleet, the schema by which an editor completes and checks it, and that fleet;
and beside them, or at the root of the git repository that DIR lies in, a GitHub workflow. It asks nothing
and overwrites nothing.`,
		Example: "  twinrules init my-rules\n  twinrules plan my-rules --demo",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := packPath(args)
			files, err := scaffold(dir)
			if err != nil {
				return err
			}
			if err := inTheWay(dir, files); err != nil {
				return err
			}
			for _, f := range files {
				if err := f.create(); err != nil {
					return fmt.Errorf("write the pack: %w", err)
				}
			}
			env.printStart(dir, files)
			return nil
		},
	}
}

// A newFile is a file that init writes.
type newFile struct {
	path, doc string
	data      []byte
}

// scaffold returns the files of a new pack in dir.
func scaffold(dir string) ([]newFile, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	fleet, err := fs.ReadFile(examples.ColdChain, "cold-chain/fleet.ndjson.zst")
	if err != nil {
		return nil, err
	}
	root := repositoryOf(abs)
	folder, err := filepath.Rel(root, abs)
	if err != nil {
		return nil, err
	}
	name := packName(filepath.Base(abs))
	fill := strings.NewReplacer("NAME", name, "FOLDER", strconv.Quote(filepath.ToSlash(folder)), "PATHS", strconv.Quote(filepath.ToSlash(filepath.Join(folder, "**"))), "VERSION", release())
	workflow := filepath.Join(".github", "workflows", "twinrules-"+name+".yml")
	if up, err := filepath.Rel(abs, root); err == nil {
		workflow = filepath.Join(up, workflow)
	}
	return []newFile{
		{filepath.Join(dir, "pack.yaml"), "a rule and its tests", []byte(fill.Replace(packScaffold))},
		{filepath.Join(dir, rules.SchemaFile), "by which an editor completes and checks it", rules.Schema()},
		{filepath.Join(dir, "fleet.ndjson.zst"), "a sample fleet, until you record yours", fleet},
		{filepath.Join(dir, workflow), "check, test and diff in pull requests", []byte(fill.Replace(workflowScaffold))},
	}, nil
}

// repositoryOf returns the root of the git repository that dir lies in, dir
// itself when there is none: GitHub reads workflows only there.
func repositoryOf(dir string) string {
	for up := dir; ; up = filepath.Dir(up) {
		if _, err := os.Stat(filepath.Join(up, ".git")); err == nil {
			return up
		}
		if up == filepath.Dir(up) {
			return dir
		}
	}
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// packName makes a pack's name out of a folder's.
func packName(folder string) string {
	name := notInNames.ReplaceAllString(strings.ToLower(folder), "-")
	name = strings.Trim(name[:min(len(name), 64)], "-")
	if name == "" {
		return "rules"
	}
	return name
}

// release returns what go install should install to get this program.
func release() string {
	if v := version(); regexp.MustCompile(`^v\d+\.\d+\.\d+$`).MatchString(v) {
		return v
	}
	return "latest"
}

// inTheWay names the files that exist already, and others that would become part
// of the pack.
func inTheWay(dir string, files []newFile) error {
	var found []string
	for _, f := range files {
		if _, err := os.Lstat(f.path); err == nil {
			found = append(found, f.path)
		}
	}
	for _, pattern := range []string{"*.yaml", "*.yml"} {
		others, err := filepath.Glob(filepath.Join(escapeGlob(dir), pattern))
		if err != nil {
			return err
		}
		for _, path := range others {
			if name := filepath.Base(path); name != "pack.yaml" && name != rules.ConfigFile {
				found = append(found, path)
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	return fmt.Errorf("nothing was written: in the way %s %s; name a folder of its own, such as init %s",
		isAre(len(found)), strings.Join(found, ", "), filepath.Join(dir, "rules"))
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// escapeGlob makes a path match itself.
func escapeGlob(path string) string {
	return regexp.MustCompile(`[\\*?\[]`).ReplaceAllString(path, `\$0`)
}

// create writes the file, and fails when there is one.
func (f newFile) create() error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil {
		return err
	}
	out, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = out.Write(f.data)
	return errors.Join(err, out.Close())
}

// printStart says what there is now, and what to try.
func (env *environment) printStart(dir string, files []newFile) {
	width := 0
	for _, f := range files {
		width = max(width, len(f.path))
	}
	for _, f := range files {
		fmt.Fprintf(env.stdout, "%-*s  # %s\n", width, f.path, f.doc)
	}
	fmt.Fprintf(env.stdout, "\nNext:\n")
	next := [][2]string{
		{"test " + dir, "runs the tests beside the rule"},
		{"plan " + dir + " --demo", "what it would change on the sample fleet"},
		{"snapshot pull --hub HOST --out " + files[2].path, "records your own fleet over the sample"},
	}
	for _, n := range next {
		width = max(width, len(env.self+n[0])+3)
	}
	for _, n := range next {
		fmt.Fprintf(env.stdout, "  %-*s  # %s\n", width, env.self+" "+n[0], n[1])
	}
}
