package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"syscall"
	"time"
)

// A race is one run of everything against everything.
type race struct {
	dir, programs, fleet string
	rules, rounds        int
	bytes                int64 // of the fleet, not compressed
	entrants             []*entrant
}

// An entrant is a row with what was measured.
type entrant struct {
	*row
	times  []sample // by round
	answer *answer
}

// A sample is one run of a process.
type sample struct {
	wall, cpu time.Duration
	rss       int64 // bytes at the peak
}

func (r *race) run(only *regexp.Regexp) error {
	if err := r.warm(); err != nil {
		return err
	}
	for i, w := range r.rows() {
		if i == 0 || only.MatchString(w.name) {
			r.entrants = append(r.entrants, &entrant{row: w})
		}
	}
	for round := range r.rounds {
		for _, e := range r.entrants {
			if e.skip != "" || e.slow && round > 0 {
				continue
			}
			if err := e.run(); err != nil {
				return fmt.Errorf("%s: %w", e.name, err)
			}
		}
	}
	return nil
}

// warm reads the fleet into the page cache, where every engine finds it.
func (r *race) warm() error {
	for _, name := range []string{r.fleet, r.fleet + ".zst"} {
		if _, err := r.read(name); err != nil {
			return err
		}
	}
	info, err := os.Stat(r.file(r.fleet))
	if err == nil {
		r.bytes = info.Size()
	}
	return err
}

func (r *race) read(name string) (n int, err error) {
	f, err := os.Open(r.file(name))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for b := make([]byte, 1<<20); ; {
		got, err := f.Read(b)
		if n += got; got == 0 {
			return n, ignoreEOF(err)
		}
	}
}

// run runs the row once. Its answer is always the same.
func (e *entrant) run() error {
	stdout, took, err := e.measure()
	if err != nil || e.row.answer == nil {
		e.times = append(e.times, took)
		return err
	}
	a, err := e.row.answer(stdout)
	if err != nil {
		return err
	}
	if e.answer != nil && !reflect.DeepEqual(a, e.answer) {
		return fmt.Errorf("found %+v in one round and %+v in another", *e.answer, *a)
	}
	e.times, e.answer = append(e.times, took), a
	return nil
}

func (e *entrant) measure() ([]byte, sample, error) {
	c := exec.Command(e.args[0], e.args[1:]...)
	c.Env = append(append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", e.cores)), e.env...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	begun := time.Now()
	if err := c.Run(); err != nil {
		return nil, sample{}, fmt.Errorf("%w: %s", err, stderr.Bytes())
	}
	s := sample{wall: time.Since(begun), cpu: c.ProcessState.UserTime() + c.ProcessState.SystemTime()}
	if usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		s.rss = usage.Maxrss << 10 // Linux counts kilobytes
	}
	return stdout.Bytes(), s, nil
}
