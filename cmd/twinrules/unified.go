package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/twinrules/twinrules/rules"
)

// shownSame is how many unchanged lines a difference shows around what changed.
const shownSame = 3

// unified returns the difference of two texts as diff -u prints it. Lines are
// compared in order: one that changed stands as removed and added.
func unified(path, before, after string) []byte {
	a, b := splitLines(before), splitLines(after)
	edits := lineEdits(a, b)
	var out bytes.Buffer
	fmt.Fprintf(&out, "--- %s\n+++ %s\n", path, path)
	for i := 0; i < len(edits); {
		if edits[i].op == ' ' {
			i++
			continue
		}
		from := max(0, i-shownSame)
		to, same := i, 0
		for to < len(edits) && same <= 2*shownSame {
			if same++; edits[to].op != ' ' {
				same = 0
			}
			to++
		}
		to -= max(0, same-shownSame)
		writeHunk(&out, edits[from:to])
		i = to
	}
	return out.Bytes()
}

func splitLines(text string) []string {
	lines := strings.SplitAfter(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// A lineEdit is one line of a difference; a and b are where it stands.
type lineEdit struct {
	op   byte // ' ', '-' or '+'
	text string
	a, b int
}

func writeHunk(out *bytes.Buffer, edits []lineEdit) {
	old, now := 0, 0
	for _, e := range edits {
		if e.op != '+' {
			old++
		}
		if e.op != '-' {
			now++
		}
	}
	fmt.Fprintf(out, "@@ -%d,%d +%d,%d @@\n", edits[0].a+1, old, edits[0].b+1, now)
	for _, e := range edits {
		out.WriteByte(e.op)
		out.WriteString(rules.Excerpt(strings.TrimSuffix(e.text, "\n"), len(e.text)))
		out.WriteByte('\n')
		if !strings.HasSuffix(e.text, "\n") {
			out.WriteString("\\ No newline at end of file\n")
		}
	}
}

// lineEdits returns the shortest way from a to b, after what they begin and end
// with alike.
func lineEdits(a, b []string) (edits []lineEdit) {
	start := 0
	for start < min(len(a), len(b)) && a[start] == b[start] {
		edits = append(edits, lineEdit{' ', a[start], start, start})
		start++
	}
	end := 0
	for end < min(len(a), len(b))-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	i, j := start, start
	for _, e := range middleEdits(a[start:len(a)-end], b[start:len(b)-end]) {
		e.a, e.b = i, j
		if e.op != '+' {
			i++
		}
		if e.op != '-' {
			j++
		}
		edits = append(edits, e)
	}
	for ; i < len(a); i, j = i+1, j+1 {
		edits = append(edits, lineEdit{' ', a[i], i, j})
	}
	return edits
}

// maxCompared bounds the table of lines that are compared with each other;
// beyond it all are shown as changed.
const maxCompared = 4_000_000

func middleEdits(a, b []string) (edits []lineEdit) {
	common := func(int, int) int { return 0 }
	if (len(a)+1)*(len(b)+1) <= maxCompared {
		common = commonLines(a, b)
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			edits = append(edits, lineEdit{op: ' ', text: a[i]})
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || common(i+1, j) >= common(i, j+1)):
			edits = append(edits, lineEdit{op: '-', text: a[i]})
			i++
		default:
			edits = append(edits, lineEdit{op: '+', text: b[j]})
			j++
		}
	}
	return edits
}

// commonLines returns how many lines the rests of a and b have in common, in
// order.
func commonLines(a, b []string) func(i, j int) int {
	width := len(b) + 1
	table := make([]int32, (len(a)+1)*width)
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				table[i*width+j] = table[(i+1)*width+j+1] + 1
			} else {
				table[i*width+j] = max(table[(i+1)*width+j], table[i*width+j+1])
			}
		}
	}
	return func(i, j int) int { return int(table[i*width+j]) }
}
