package hub

import (
	"bytes"
	"errors"
)

var (
	errNotArray = errors.New("it is not an array")
	errBroken   = errors.New("the array is broken")
)

// split returns the elements of a JSON array, as parts of data. It looks no
// closer than it must to find where they end: whoever reads one checks it.
func split(data []byte) (parts [][]byte, err error) {
	rest := trim(data)
	if len(rest) < 2 || rest[0] != '[' {
		return nil, errNotArray
	}
	if rest = trim(rest[1:]); rest[0] == ']' && len(rest) == 1 {
		return [][]byte{}, nil
	}
	for {
		n := element(rest)
		if n < 0 {
			return nil, errBroken
		}
		part := trim(rest[:n])
		if len(part) == 0 {
			return nil, errBroken
		}
		parts = append(parts, part)
		end := rest[n] == ']'
		rest = rest[n+1:]
		if end {
			break
		}
	}
	if len(rest) > 0 {
		return nil, errBroken
	}
	return parts, nil
}

// element returns how far it is to the comma or bracket behind the element at
// the start of data, -1 when there is none.
func element(data []byte) int {
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			n := quoted(data[i+1:])
			if n < 0 {
				return -1
			}
			i += n
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				if data[i] == '}' {
					return -1
				}
				return i
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return -1
}

// quoted returns the length of a string whose opening quote stands before data,
// with the closing one, -1 when that is missing.
func quoted(data []byte) int {
	for at := 0; ; {
		n := bytes.IndexByte(data[at:], '"')
		if n < 0 {
			return -1
		}
		at += n + 1
		slashes := 0
		for slashes < at-1 && data[at-2-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return at
		}
	}
}

// trim drops what JSON takes for white space.
func trim(data []byte) []byte { return bytes.Trim(data, " \t\r\n") }
