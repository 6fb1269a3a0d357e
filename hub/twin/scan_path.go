package twin

// A pathNode is an object that paths lead through, with the keys that they take.
type pathNode struct {
	bloom    uint64 // of the marks of its keys
	children []*pathChild
	number   int // its own among those of a scanner
}

// A pathChild is a key, where a path ends or goes on, or both.
type pathChild struct {
	key   string
	first uint64 // the key's first eight bytes
	bit   uint64 // its own among the first 64 of its object
	slots []int  // of the paths that end here
	below *pathNode
}

// add adds a path, at whose end a slot has its value.
func (s *Scanner) add(path []string, slot int) {
	n := s.nodes[0]
	for i, key := range path {
		c := n.child(key)
		if i == len(path)-1 {
			c.slots = append(c.slots, slot)
			return
		}
		if c.below == nil {
			c.below = &pathNode{number: len(s.nodes)}
			s.nodes = append(s.nodes, c.below)
		}
		n = c.below
	}
}

func (n *pathNode) child(key string) *pathChild {
	for _, c := range n.children {
		if c.key == key {
			return c
		}
	}
	c := &pathChild{key: key, first: firstWord([]byte(key)), bit: 1 << len(n.children)}
	n.children = append(n.children, c)
	n.bloom |= mark(c.first, len(key))
	return c
}

// find returns the child for a key without escapes, of which first is the first
// word; nil when it is not wanted, which its mark mostly told before. The next one
// that is wanted is mostly the next child.
func (n *pathNode) find(first uint64, spelled []byte, hint *int) *pathChild {
	for range n.children {
		if *hint >= len(n.children) {
			*hint = 0
		}
		c := n.children[*hint]
		*hint++
		if c.first == first && len(c.key) == len(spelled) && (len(spelled) <= 8 || c.key[8:] == string(spelled[8:])) {
			return c
		}
	}
	return nil
}

// unescaped returns the child for a key with escapes.
func (n *pathNode) unescaped(spelled []byte) *pathChild {
	key, ok := unquote(spelled)
	for _, c := range n.children {
		if ok && c.key == key {
			return c
		}
	}
	return nil
}

// firstWord returns the first eight bytes of a key, zero where it is shorter.
func firstWord(key []byte) uint64 {
	var first [8]byte
	copy(first[:], key)
	return word(first[:])
}

// mark returns one bit that depends on a key's first word and its length.
func mark(first uint64, size int) uint64 {
	return 1 << ((first ^ first>>11 ^ first>>37 ^ uint64(size)<<2) & 63)
}
