package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// print shows the least times of the rounds, and of the ratios the medians: each
// is of two runs of one round.
func (r *race) print(w io.Writer) {
	first, devices := r.entrants[0], 0
	if first.answer != nil {
		devices = first.answer.Devices
	}
	fmt.Fprintf(w, "%d devices, %d bytes, %d rules, %d would be written, %d rounds; times are the least, ratios medians\n", devices, r.bytes, r.rules, first.answer.Written, r.rounds)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "engine\tcores\twall s\tcpu s\tpeak MB\tGB/s\tof ceiling\t× wall\t× cpu\tbar\t")
	ceiling := r.ceiling()
	for _, e := range r.entrants {
		if e.skip == "" {
			r.row(t, e, first, ceiling)
		}
	}
	t.Flush()
	fmt.Fprintln(w, "† decides only: no patches are compared or written. × is to the first row. Ceiling: reading the file and counting line ends.")
	for _, e := range r.entrants {
		if e.skip != "" {
			fmt.Fprintf(w, "skipped: %s, because %s\n", e.name, e.skip)
		}
	}
}

func (r *race) row(w io.Writer, e, first *entrant, ceiling time.Duration) {
	wall := least(e.times, func(s sample) time.Duration { return s.wall })
	cpu := least(e.times, func(s sample) time.Duration { return s.cpu })
	share, bar := "", ""
	if ceiling > 0 {
		share = fmt.Sprintf("%.1f %%", 100*ceiling.Seconds()/wall.Seconds())
	}
	if b, ok := e.bars[r.rules]; ok {
		bar = fmt.Sprintf("%g", b)
	}
	fmt.Fprintf(w, "%s\t%d\t%.3f\t%.3f\t%.0f\t%.3f\t%s\t%.2f\t%.2f\t%s\t\n", e.name, e.cores, wall.Seconds(), cpu.Seconds(),
		float64(least(e.times, func(s sample) int64 { return s.rss }))/1e6, float64(r.bytes)/wall.Seconds()/1e9, share,
		ratio(e, first, func(s sample) time.Duration { return s.wall }), ratio(e, first, func(s sample) time.Duration { return s.cpu }), bar)
}

// ceiling is the least time of the row without an answer, 0 when it did not run.
func (r *race) ceiling() time.Duration {
	for _, e := range r.entrants {
		if e.row.answer == nil && len(e.times) > 0 {
			return least(e.times, func(s sample) time.Duration { return s.wall })
		}
	}
	return 0
}

func least[T cmp.Ordered](times []sample, of func(sample) T) T {
	m := of(times[0])
	for _, s := range times {
		m = min(m, of(s))
	}
	return m
}

// ratio is the median over the rounds of how many times as long e took as first.
func ratio(e, first *entrant, of func(sample) time.Duration) float64 {
	list := make([]float64, len(e.times))
	for i, s := range e.times {
		list[i] = of(s).Seconds() / of(first.times[i]).Seconds()
	}
	slices.Sort(list)
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
}
