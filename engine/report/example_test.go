package report_test

import (
	"log"
	"os"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/engine/report"
)

func ExampleFind() {
	format, err := report.Find("text")
	if err != nil {
		log.Fatal(err)
	}
	p := plan(changes("reefer", 10_000, func(int) []engine.Edit {
		return []engine.Edit{edit("tags.power", "", `"saver"`, "power-save")}
	})...)
	if err := format.Plan(os.Stdout, p, &report.Options{Width: 110}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// plan   pack cold-chain   contoso.azure-devices.net at 2026-11-21T06:00:12Z   900 devices, 100 modules read
	//
	//   + power-save                                                                      10000 twins   pack.yaml:13
	//       tags.power  (absent)  →  "saver"
	//       reefer-00000, reefer-00001, reefer-00002 … 9997 more
	//
	// 10000 twins to write.
}
