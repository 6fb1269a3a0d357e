package twin

import "math/bits"

// skip passes over a value without looking into it.
func (p *pass) skip(i int) int {
	switch c := p.at(i); {
	case c == '"':
		if end := plainEnd(p.data, i+1); end >= 0 && p.data[end] == '"' {
			return end + 1
		}
		return p.text(i + 1)
	case c == '{' || c == '[':
		return p.container(i + 1)
	case c == '-' || '0' <= c && c <= '9':
		return numberEnd(p.data, i+1)
	}
	for _, w := range words {
		if end := i + len(w.text); end <= len(p.data) && string(p.data[i:end]) == w.text {
			return end
		}
	}
	return p.fail(i, "%s where a value should stand", p.shown(i))
}

// numberEnd returns where the first byte stands from i on that is not of a number.
func numberEnd(data []byte, i int) int {
	for i+8 <= len(data) {
		i += digits(word(data[i:]))
		if i == len(data) || !numeric[data[i]] {
			return i
		}
		i++
	}
	for ; i < len(data) && numeric[data[i]]; i++ {
	}
	return i
}

// digits returns how many digits a word begins with, at most seven.
func digits(x uint64) int {
	x ^= ones * '0' // digits are 0 to 9 now
	other := (x | (x&(ones*0x7f) + ones*(0x7f-9))) & (ones << 7)
	return bits.TrailingZeros64(other|1<<63) >> 3
}

// numeric are the bytes of numbers.
var numeric = [256]bool{
	'0': true, '1': true, '2': true, '3': true, '4': true, '5': true, '6': true, '7': true, '8': true, '9': true,
	'+': true, '-': true, '.': true, 'e': true, 'E': true,
}

// container passes over an object or array behind its first bracket.
func (p *pass) container(i int) int {
	data := p.data
	for depth := 1; i < len(data); i++ {
		switch data[i] {
		case '"':
			if i+1 < len(data) && data[i+1] == '$' {
				if end := stampEnd(data, i); end > 0 {
					i = end - 1
					continue
				}
			}
			end := plainEnd(data, i+1)
			if end >= 0 && data[end] != '"' {
				end = textEnd(data, end)
			}
			if i = end; i < 0 {
				return p.cutText()
			}
		case '{', '[':
			if depth++; depth > MaxDepth {
				return p.fail(i, "nested more than %d levels", MaxDepth)
			}
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return p.fail(len(data), "the text ends inside an object or array")
}

// text passes over a string behind its first quote.
func (p *pass) text(i int) int {
	if i = textEnd(p.data, i); i < 0 {
		return p.cutText()
	}
	return i + 1
}

func (p *pass) cutText() int { return p.fail(len(p.data), "the text ends inside a string") }

// textEnd returns where the quote stands that ends a string whose text begins at
// i, and -1 when there is none.
func textEnd(data []byte, i int) int {
	for {
		if i = plainEnd(data, i); i < 0 || data[i] == '"' {
			return i
		}
		if i += 2; i > len(data) { // what is escaped
			return -1
		}
	}
}

// plainEnd returns where the first quote or backslash stands from i on, and -1 when
// there is none. Eight bytes are looked at at a time.
func plainEnd(data []byte, i int) int {
	for i+8 <= len(data) {
		next := word(data[i:])
		if found := zeroBytes(next^quotes) | zeroBytes(next^backslashes); found != 0 {
			return i + bits.TrailingZeros64(found)>>3
		}
		i += 8
	}
	for ; i < len(data); i++ {
		if c := data[i]; c == '"' || c == '\\' {
			return i
		}
	}
	return -1
}

const (
	ones        = 0x0101010101010101
	quotes      = ones * '"'
	backslashes = ones * '\\'
)

// zeroBytes returns a word whose lowest bit that is set stands in the first byte
// of x that is zero; 0 when none is.
func zeroBytes(x uint64) uint64 { return (x - ones) &^ x & (ones << 7) }
