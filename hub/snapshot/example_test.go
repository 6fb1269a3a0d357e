package snapshot_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/twinrules/twinrules/hub/snapshot"
	"github.com/twinrules/twinrules/hub/twin"
)

func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "fleet.ndjson.zst")

	taken := time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)
	r, err := snapshot.Create(path, "contoso.azure-devices.net", taken, []string{"SELECT * FROM devices"})
	if err != nil {
		log.Fatal(err)
	}
	for _, text := range []string{`{"deviceId":"pump-1","tags":{"site":"muc"}}`, `{"deviceId":"pump-2","tags":{"site":"ber"}}`} {
		t, err := twin.Parse([]byte(text))
		if err != nil {
			log.Fatal(err)
		}
		if err := r.Twin(t); err != nil {
			log.Fatal(err)
		}
	}
	if _, err := r.Finish(true); err != nil {
		log.Fatal(err)
	}

	s, err := snapshot.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Hub, s.Header.Twins, "twins of", s.TakenAt)
	for t, err := range s.Twins(context.Background(), "SELECT * FROM devices WHERE tags.site = 'ber'") {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(t.Ref)
	}
	// Output:
	// contoso.azure-devices.net 2 twins of 2026-11-21 06:00:00 +0000 UTC
	// devices/pump-2
}
