// Lines counts the line ends of a file: what no engine can be faster than. It
// imports next to nothing, so that starting it costs next to nothing, too.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

func main() {
	n, err := count(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "lines:", err)
		os.Exit(1)
	}
	fmt.Println(n)
}

func count(path string) (lines int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for b := make([]byte, 1<<20); ; {
		n, err := f.Read(b)
		lines += bytes.Count(b[:n], []byte("\n"))
		if err == io.EOF {
			return lines, nil
		}
		if err != nil {
			return 0, err
		}
	}
}
