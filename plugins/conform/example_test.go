package conform_test

import (
	"context"
	"fmt"
	"log"

	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/conform"
	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
)

// A suite is what an author wrote; the kit adds what rules count on.
func ExampleRun() {
	ctx := context.Background()
	suite, err := conform.ParseSuite([]byte(`{"cases": [{"name": "any", "twin": {"tags": {"site": "muc"}}, "want": {"match": false}}]}`))
	if err != nil {
		log.Fatal(err)
	}
	host, err := plugins.NewHost(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer host.Close(ctx)
	module, err := host.Load(ctx, "hot", wasmtest.Answering(`{"match":true,"patch":{"tags":{"hot":true}}}`, nil))
	if err != nil {
		log.Fatal(err)
	}
	report, err := conform.Run(ctx, module, suite)
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range report.Results {
		if r.Problem != "" {
			fmt.Println(r.Check, r.Name, r.Detail[len(r.Detail)-1])
		}
	}
	// Output:
	// cases any got  {"error":"its patch sets tags.hot, which is not among its writes"}
	// odd 17 odd twins and 12 more
	// writes what it writes and 13 more
}
