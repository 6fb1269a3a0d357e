package journal_test

import (
	"fmt"
	"log"
	"os"
	"time"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/journal"
	"github.com/twinrules/twinrules/hub/twin"
)

func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	begin := journal.Begin{Plan: "sha256:4c1e…", Hub: "contoso.azure-devices.net", At: time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)}

	j, err := journal.Open(dir, begin)
	if err != nil {
		log.Fatal(err)
	}
	one, two := twin.Ref{Device: "pump-1"}, twin.Ref{Device: "pump-2"}
	_ = j.Intend(one)
	_ = j.Record(engine.Outcome{Ref: one, Status: engine.Written})
	_ = j.Intend(two)
	_ = j.Close() // or the power fails

	j, err = journal.Open(dir, begin)
	if err != nil {
		log.Fatal(err)
	}
	defer j.Close()
	fmt.Println(one, j.Past(one).Status)
	fmt.Println(two, j.Past(two).Status)
	// Output:
	// devices/pump-1 written
	// devices/pump-2 in-doubt
}
