// Peak prints how much memory commands take at the most, over fleets of several
// sizes, and how much more the largest takes than the smallest. It is for Linux,
// which counts the peak of a process in kilobytes.
//
//	peak -fleets fleet-10000.ndjson,fleet-1000000.ndjson -more 16 plan rules ...
//
// runs "./twinrules plan rules ... --snapshot" with each fleet. It ends non-zero when
// a command does, and when the largest fleet takes more than that many MiB more.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

func main() {
	fleets := flag.String("fleets", "", "recorded fleets, the smallest first")
	more := flag.Float64("more", 16, "`MiB` that the largest may take more than the smallest")
	flag.Parse()
	if err := run(strings.Split(*fleets, ","), flag.Args(), *more); err != nil {
		fmt.Fprintln(os.Stderr, "peak:", err)
		os.Exit(1)
	}
}

func run(fleets, args []string, more float64) error {
	var first, last float64
	for i, fleet := range fleets {
		mib, err := peak(append(args, "--snapshot", fleet))
		if err != nil {
			return err
		}
		if last = mib; i == 0 {
			first = mib
		}
		fmt.Printf("%s\t%s\t%.0f MiB\n", args[0], fleet, mib)
	}
	if last-first > more {
		return fmt.Errorf("%s: the largest fleet takes %.0f MiB more than the smallest, the bar is %.0f", args[0], last-first, more)
	}
	return nil
}

func peak(args []string) (mib float64, err error) {
	c := exec.Command("./twinrules", args...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	if err := c.Run(); err != nil {
		return 0, fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, stderr.Bytes())
	}
	usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, fmt.Errorf("this system does not count memory")
	}
	return float64(usage.Maxrss) / 1024, nil
}
