package plugins_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
	"github.com/twinrules/twinrules/plugins/wasm/wasmtest"
	"github.com/twinrules/twinrules/rules"
)

// A host runs a module that was read from a file; here it is built in place.
func ExampleHost_Load() {
	ctx := context.Background()
	host, err := plugins.NewHost(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer host.Close(ctx)
	binary := wasmtest.Answering(`{"match":true,"facts":{"score":0.9},"message":"too hot"}`, nil)
	module, err := host.Load(ctx, "anomaly", binary)
	if err != nil {
		log.Fatal(err)
	}
	instance, err := module.Instance(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	t, err := twin.Parse([]byte(`{"deviceId":"pump-7"}`))
	if err != nil {
		log.Fatal(err)
	}
	answer, err := instance.Judge(ctx, t, time.Unix(0, 0))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Finding.Message, answer.Finding.Facts["score"], answer.Fuel)
	// Output: too hot 0.9 1
}

// A set makes the plugins that a pack names.
func ExampleSet() {
	ctx := context.Background()
	host, err := plugins.NewHost(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer host.Close(ctx)
	modules := map[string][]byte{"never": wasmtest.Plugin(wasmtest.Const64(0), nil)}
	set := plugins.NewSet(host, func(_ context.Context, name string) ([]byte, error) {
		if binary, ok := modules[name]; ok {
			return binary, nil
		}
		return nil, errors.New("the pack does not name it")
	})
	_, err = set.Instance(ctx, &rules.Rule{ID: "r", Plugin: &rules.PluginUse{Use: "never"}}, nil)
	fmt.Println(err)
	_, err = set.Instance(ctx, &rules.Rule{ID: "r", Plugin: &rules.PluginUse{Use: "ever"}}, nil)
	fmt.Println(err)
	// Output:
	// <nil>
	// read plugin ever: the pack does not name it
}

// Inspect says why a module would be refused, without running it.
func ExampleInspect() {
	binary := wasmtest.Plugin(wasmtest.Const64(0), func(m *wasmtest.Module) { m.Memory = 4096 })
	report, err := plugins.Inspect(binary)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range report.Problems {
		fmt.Println(p.Text, p.Code)
	}
	// Output: 4096 pages of memory, at most 1024 are taken plugin.load.limit
}
