// Command twinrules is policy as code for the device and module twins of an
// Azure IoT Hub: it shows what rule packs would change, changes it, and only it.
//
// This package is the only code that reads flags, the environment and the wall
// clock. It wires the others together; each command has a file of its own, and
// [commands] lists them. What a rule means, how a plan is computed and how a hub
// is spoken to are left to packages rules, engine and hub.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"golang.org/x/term"

	"github.com/twinrules/twinrules/hub/credential"
)

func main() {
	for _, name := range credential.EmptyVariables(os.LookupEnv) {
		os.Unsetenv(name) // the Azure SDK takes a variable that is set to nothing for a value
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the process at once
	os.Exit(run(ctx, system(), os.Args[1:]))
}

// An environment is what a command can see of the world.
type environment struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	lookup         func(name string) (string, bool)
	now            func() time.Time

	stdinTerminal, stdoutTerminal, stderrTerminal bool
	width                                         int    // of stdout's terminal, 0 when it is none
	self                                          string // how to call this program again

	bars    atomic.Pointer[mpb.Progress] // on stderr at present, nil when there are none
	log     *slog.Logger                 // of a command that keeps one instead of talking to a person, else nil
	origins map[string]string            // where the flags that are set were set, by name
}

// system returns the environment of the process.
func system() *environment {
	e := &environment{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, lookup: os.LookupEnv, now: time.Now,
		stdinTerminal: term.IsTerminal(int(os.Stdin.Fd())), stdoutTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		stderrTerminal: term.IsTerminal(int(os.Stderr.Fd())), self: "twinrules",
	}
	if e.stdoutTerminal {
		e.width, _, _ = term.GetSize(int(os.Stdout.Fd()))
	}
	if strings.Contains(os.Args[0], string(filepath.Separator)+"go-build") {
		e.self = "go run ./cmd/twinrules"
	}
	return e
}

// note says something while a command is at work. Several may at once.
func (e *environment) note(text string) {
	if e.log != nil {
		e.log.Info(text)
		return
	}
	var out io.Writer = e.stderr
	if bars := e.bars.Load(); bars != nil {
		out = bars // which draws itself below
	}
	fmt.Fprintln(out, "twinrules: "+text)
}

// color reports whether stdout gets colours.
func (e *environment) color() bool {
	if v, ok := e.lookup("NO_COLOR"); ok && v != "" {
		return false
	}
	if v, ok := e.lookup("CLICOLOR_FORCE"); ok && v != "" && v != "0" {
		return true
	}
	terminal, _ := e.lookup("TERM")
	return e.stdoutTerminal && terminal != "dumb"
}

// run runs the command that args ask for and returns its exit code.
func run(ctx context.Context, env *environment, args []string) int {
	root := newRoot(env)
	root.SetArgs(args)
	return env.exit(ctx, root.ExecuteContext(ctx))
}

// commands lists the commands, in the order help shows them.
var commands = []func(*environment) *cobra.Command{
	newDemo, newInit, newCheck, newFmt, newTest, newSchema, newPlan, newDiff, newApply, newExplain, newRun, newServe,
	newSnapshot, newPlugin, newAuth, newEmulator, newVersion,
}

func newRoot(env *environment) *cobra.Command {
	root := &cobra.Command{
		Use:   "twinrules",
		Short: "Policy as code for the twins of an Azure IoT Hub",
		Long: `twinrules shows what rule packs would change in the device and module twins of an
Azure IoT Hub, changes it, and nothing else.

Every flag can be set by a variable: --hub by TWINRULES_HUB, --state by TWINRULES_STATE. What
concerns the hub and who signs in there can stand in twinrules.yaml, see twinrules auth check --help.

Exit codes: 0 done; 1 failed; 2 there are changes (with --detailed-exitcode);
3 a limit or guard tripped; 4 partial; 64 usage; 130 interrupted.`,
		Example:       "  twinrules demo",
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := env.settings(cmd); err != nil {
				return err
			}
			return env.placePlugins(cmd)
		},
	}
	root.SetIn(env.stdin)
	root.SetOut(env.stdout)
	root.SetErr(env.stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	addDumpFlag(root)
	addCacheFlag(root)
	addLimitFlags(root)
	for _, command := range commands {
		root.AddCommand(command(env))
	}
	root.InitDefaultCompletionCmd()
	root.SetHelpCommand(newHelp())
	refuseUnknown(root)
	// One that can be run only to refuse is not shown as one that can be run.
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(), "{{if .Runnable}}", "{{if and .Runnable (not .HasSubCommands)}}", 1))
	return root
}

// refuseUnknown makes commands that only hold others refuse what they do not
// know, and name what was probably meant. The library does it for the first word
// alone, in lines; behind snapshot it prints help, and calls that success.
func refuseUnknown(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		refuseUnknown(sub)
	}
	if !cmd.HasSubCommands() || cmd.Runnable() {
		return
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		return unknown(cmd, args[0])
	}
	cmd.Args = cobra.ArbitraryArgs // RunE looks at them
}

// unknown says that a command has no other called name, and names what was probably
// meant.
func unknown(cmd *cobra.Command, name string) error {
	meant := ""
	if cmd.SuggestionsMinimumDistance = 2; len(cmd.SuggestionsFor(name)) > 0 {
		meant = "; did you mean " + strings.Join(cmd.SuggestionsFor(name), " or ") + "?"
	}
	return usagef("unknown command %q%s", name, meant)
}

// newHelp returns the command help. The library's own calls it a success when it
// does not know what it was asked for.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Help about a command",
		Example: "  twinrules help plugin lock",
		RunE: func(cmd *cobra.Command, args []string) error {
			found, left, err := cmd.Root().Find(args)
			if found == nil || err != nil {
				return unknown(cmd.Root(), args[0])
			}
			if len(left) > 0 && found.HasSubCommands() {
				return unknown(found, left[0])
			}
			return found.Help()
		},
	}
}
