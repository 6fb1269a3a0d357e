package emulator

import (
	"context"
	"crypto/rsa"
	"time"
)

// bareHub is an empty hub without doors, always in the morning.
func bareHub(pageSize int) *hub {
	o := (&Options{PageSize: pageSize, Now: func() time.Time { return morning }}).withDefaults()
	h := newHub(o, nil, &authority{key: &rsa.PrivateKey{}, dice: newDice(1)})
	h.ctx = context.Background()
	return h
}
