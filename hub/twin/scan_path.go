package twin

import "bytes"

// A pathNode is an object that paths lead through, with the keys that they take.
type pathNode struct {
	bloom    uint64 // of the marks of its keys
	children []*pathChild
}

// A pathChild is a key, where a path ends or goes on, or both.
type pathChild struct {
	key   string
	bit   uint64 // its own among the first 64 of its object
	slots []int  // of the paths that end here
	below *pathNode
}

func newPathNode() *pathNode { return &pathNode{} }

func (n *pathNode) add(path []string, slot int) {
	c := n.child(path[0])
	if len(path) == 1 {
		c.slots = append(c.slots, slot)
		return
	}
	if c.below == nil {
		c.below = newPathNode()
	}
	c.below.add(path[1:], slot)
}

func (n *pathNode) child(key string) *pathChild {
	for _, c := range n.children {
		if c.key == key {
			return c
		}
	}
	c := &pathChild{key: key, bit: 1 << len(n.children)}
	n.children = append(n.children, c)
	n.bloom |= mark([]byte(key))
	return c
}

// find returns the child for a key as it is spelled between its quotes, nil when
// it is not wanted. Most keys are turned away by their mark.
func (n *pathNode) find(spelled []byte) *pathChild {
	if n.bloom&mark(spelled) != 0 {
		for _, c := range n.children {
			if c.key == string(spelled) {
				return c
			}
		}
	}
	if bytes.IndexByte(spelled, '\\') < 0 {
		return nil
	}
	if key, ok := unquote(spelled); ok {
		for _, c := range n.children {
			if c.key == key {
				return c
			}
		}
	}
	return nil
}

// mark returns one bit that depends on a key's length, first and last byte.
func mark(key []byte) uint64 {
	if len(key) == 0 {
		return 1
	}
	return 1 << ((uint(key[0])*7 ^ uint(key[len(key)-1])*3 ^ uint(len(key))*5) & 63)
}
