package engine

// Parts are a list that grows without being copied, because a list of changes may
// be the largest thing in memory.
type parts[T any] [][]T

// partSize is how many elements are allocated at once.
const partSize = 512

func (p *parts[T]) add(v T) {
	last := len(*p) - 1
	if last < 0 || len((*p)[last]) == cap((*p)[last]) {
		size := 8
		if last >= 0 {
			size = min(2*cap((*p)[last]), partSize)
		}
		*p = append(*p, make([]T, 0, size))
		last++
	}
	(*p)[last] = append((*p)[last], v)
}

// take returns all elements in one list, and lets go of the parts one by one.
func (p *parts[T]) take() (list []T) {
	n := 0
	for _, part := range *p {
		n += len(part)
	}
	if n == 0 {
		return nil
	}
	list = make([]T, 0, n)
	for i, part := range *p {
		list, (*p)[i] = append(list, part...), nil
	}
	*p = nil
	return list
}
