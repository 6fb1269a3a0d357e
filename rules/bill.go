package rules

// A Bill adds up the fuel that plugins use while rules are evaluated. It is for one
// goroutine at a time.
type Bill struct {
	Rules []int64 // units, by the rule's place in the pack
	Total int64
	// Over, if not nil, is called by the call with which Total is first beyond Limit.
	Limit int64
	Over  func()
}

// NewBill returns an empty bill for the rules of a pack, nil where none has a
// plugin: then there is nothing to add up.
func (p *Pack) NewBill() *Bill {
	for _, r := range p.Rules {
		if r.Plugin != nil {
			return &Bill{Rules: make([]int64, len(p.Rules))}
		}
	}
	return nil
}

// Reset empties the bill.
func (b *Bill) Reset() {
	clear(b.Rules)
	b.Total = 0
}

func (b *Bill) add(place int, fuel int64) {
	if b == nil {
		return
	}
	within := b.Total <= b.Limit
	b.Rules[place] += fuel
	b.Total += fuel
	if within && b.Total > b.Limit && b.Over != nil {
		b.Over()
	}
}
