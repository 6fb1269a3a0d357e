package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestAgree(t *testing.T) {
	decides := &answer{Devices: 3, Matched: []int{1, 2}}
	writes := &answer{Devices: 3, Matched: []int{1, 2}, Written: 2, Digest: "ab"}
	for name, c := range map[string]struct {
		other *answer
		want  string
	}{
		"the same":         {writes, ""},
		"decides only":     {decides, ""},
		"has no answer":    {nil, ""},
		"other matches":    {&answer{Devices: 3, Matched: []int{1, 1}}, "other found [1 1] of 3"},
		"other devices":    {&answer{Devices: 4, Matched: []int{1, 2}}, "other found [1 2] of 4"},
		"other patches":    {&answer{Devices: 3, Matched: []int{1, 2}, Written: 2, Digest: "cd"}, "other writes 2 devices (cd), twinrules 2 (ab)"},
		"forgot its rules": {&answer{Devices: 3}, "other found [] of 3"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &race{entrants: []*entrant{{row: &row{name: "ceiling"}}, {row: &row{name: "twinrules"}, answer: writes}, {row: &row{name: "other"}, answer: c.other}}}
			err := r.agree()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// A ratio is of runs of one round: a machine that slows down slows both.
func TestRatioIsTheMedianOverRounds(t *testing.T) {
	wall := func(s sample) time.Duration { return s.wall }
	runs := func(seconds ...int) *entrant {
		e := &entrant{row: &row{}}
		for _, s := range seconds {
			e.times = append(e.times, sample{wall: time.Duration(s) * time.Second})
		}
		return e
	}
	for name, c := range map[string]struct {
		e, first *entrant
		want     float64
	}{
		"odd":            {runs(30, 80, 20), runs(1, 2, 1), 30},
		"even":           {runs(30, 80), runs(1, 2), 35},
		"one slow round": {runs(30, 300, 30), runs(1, 10, 1), 30},
		"first only":     {runs(30), runs(1, 9), 30},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ratio(c.e, c.first, wall); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestNumbersOfJQ(t *testing.T) {
	r := &race{rules: 3}
	a, err := r.countNumbers([]byte("[]\n[0,2]\n[2]\n"))
	if err != nil || a.Devices != 3 || a.Matched[0] != 1 || a.Matched[1] != 0 || a.Matched[2] != 2 {
		t.Errorf("got %+v, %v", a, err)
	}
	for _, bad := range []string{"[3]\n", "[-1]\n", "[x]\n", "jq: error\n"} {
		if _, err := r.countNumbers([]byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestPrint(t *testing.T) {
	found := &answer{Devices: 1000, Written: 7}
	counts := func([]byte) (*answer, error) { return found, nil }
	r := &race{rules: 10, rounds: 1, bytes: 2e9, entrants: []*entrant{
		{row: &row{name: "twinrules", cores: 1, answer: counts}, answer: found, times: []sample{{time.Second, time.Second, 40e6}}},
		{row: &row{name: "naive", cores: 1, answer: counts, bars: map[int]float64{10: 25}}, answer: found, times: []sample{{30 * time.Second, 31 * time.Second, 50e6}}},
		{row: &row{name: "lines", cores: 1}, times: []sample{{200 * time.Millisecond, 200 * time.Millisecond, 5e6}}},
		{row: &row{name: "jq", skip: "jq is not installed"}},
	}}
	var b bytes.Buffer
	r.print(&b)
	for _, want := range []string{"1000 devices, 2000000000 bytes, 10 rules, 7 would be written", "2.000", "20.0 %", "30.00", "31.00", "25", "skipped: jq, because jq is not installed\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}
