package twin

import "unicode/utf8"

// Roomy reports whether a section, as it is spelled, certainly keeps the hub's
// limit of that many bytes when up to more are added, and holds nothing that the
// hub would refuse. So a change that itself keeps the rules needs no look at the
// rest. It is meant for what the hub wrote: what is not spelled in the shortest
// way, or comes near the limit, is not certain. The hub's own $metadata is passed
// over as [Scanner.Scan] passes over what nobody wants. See BenchmarkRoomy for what that
// spares.
func Roomy(section []byte, limit, more int) bool {
	if len(section) == 0 {
		return more <= limit
	}
	// An element of an array is two bytes, and counts as eight.
	return 4*len(section)+more <= limit && section[0] == '{' && (plainText{section}).object(1, 0) == len(section)
}

// A plainText is JSON without white space and nulls, and without escapes in keys. Its methods take the
// offset of the next byte and return that of the byte behind what they read, -1
// when it is no such JSON or the hub would not store it.
type plainText struct{ data []byte }

func (p plainText) at(i int) byte {
	if i < len(p.data) {
		return p.data[i]
	}
	return 0
}

// object reads members behind the brace of an object at a depth.
func (p plainText) object(i, depth int) int {
	if depth == MaxSectionDepth {
		return -1
	}
	if p.at(i) == '}' {
		return i + 1
	}
	for {
		if i = p.member(i, depth); i < 0 {
			return -1
		}
		switch p.at(i) {
		case ',':
			i++
		case '}':
			return i + 1
		default:
			return -1
		}
	}
}

func (p plainText) member(i, depth int) int {
	if p.at(i) != '"' {
		return -1
	}
	i++
	hubs := depth == 0 && p.at(i) == '$'
	end := p.key(i, hubs)
	if end < 0 || p.at(end+1) != ':' {
		return -1
	}
	if hubs && string(p.data[i:end]) == "$metadata" {
		skipping := pass{data: p.data}
		if i = skipping.skip(end + 2); skipping.err != nil {
			return -1
		}
		return i
	}
	return p.value(end+2, depth)
}

// key returns where the quote behind a key stands. Of the hub's own two are known.
func (p plainText) key(i int, hubs bool) int {
	start := i
	if hubs {
		i++
	}
	for ; storedKey[p.at(i)]; i++ {
	}
	key := p.data[min(start, len(p.data)):min(i, len(p.data))]
	if p.at(i) != '"' || len(key) > MaxKeySize || hubs && string(key) != "$metadata" && string(key) != "$version" {
		return -1
	}
	return i
}

func (p plainText) value(i, depth int) int {
	switch c := p.at(i); {
	case c == '"':
		return p.text(i + 1)
	case c == '{':
		return p.object(i+1, depth+1)
	case c == '[':
		return p.array(i+1, depth+1)
	case c == 't' || c == 'f':
		return p.word(i)
	}
	return p.number(i)
}

func (p plainText) text(i int) int {
	start := i
	for ; storedText[p.at(i)]; i++ {
	}
	if p.at(i) == '\\' {
		return p.escaped(start)
	}
	if p.at(i) != '"' || i-start > MaxStringSize || !utf8.Valid(p.data[start:i]) {
		return -1
	}
	return i + 1
}

// escaped reads a text with escapes, which is no longer than its spelling.
func (p plainText) escaped(start int) int {
	end := textEnd(p.data, start)
	if end < 0 || end-start > MaxStringSize {
		return -1
	}
	if _, err := Decode(p.data[start-1 : end+1]); err != nil {
		return -1
	}
	return end + 1
}

func (p plainText) array(i, depth int) int {
	if depth == MaxSectionDepth {
		return -1
	}
	if p.at(i) == ']' {
		return i + 1
	}
	for {
		if i = p.value(i, depth); i < 0 {
			return -1
		}
		switch p.at(i) {
		case ',':
			i++
		case ']':
			return i + 1
		default:
			return -1
		}
	}
}

func (p plainText) word(i int) int {
	for _, word := range []string{"true", "false"} {
		if end := i + len(word); end <= len(p.data) && string(p.data[i:end]) == word {
			return end
		}
	}
	return -1
}

// longestPlain is how many digits an integer has that is in the hub's range,
// whatever they are.
const longestPlain = 15

// number reads one without an exponent.
func (p plainText) number(i int) int {
	if p.at(i) == '-' {
		i++
	}
	end := p.digits(i)
	if end == i || end-i > longestPlain || p.at(i) == '0' && end > i+1 {
		return -1
	}
	if p.at(end) != '.' {
		return end
	}
	if i, end = end+1, p.digits(end+1); i == end {
		return -1
	}
	return end
}

func (p plainText) digits(i int) int {
	for ; '0' <= p.at(i) && p.at(i) <= '9'; i++ {
	}
	return i
}

// storedKey are the bytes of keys that the hub takes, but for those of other
// alphabets; storedText are those of texts that stand for themselves.
var storedKey, storedText = storedBytes()

func storedBytes() (key, text [256]bool) {
	for c := range 256 {
		text[c] = c >= 0x20 && c != '"' && c != '\\'
		key[c] = text[c] && c < 0x7f && c != '.' && c != '$' && c != '#' && c != ' '
	}
	return key, text
}
