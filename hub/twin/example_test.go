package twin_test

import (
	"fmt"

	"github.com/twinrules/twinrules/hub/twin"
)

func ExampleDiff() {
	from, _ := twin.DecodeObject([]byte(`{"fan": {"level": 3, "mode": "auto"}, "site": "muc"}`))
	to, _ := twin.DecodeObject([]byte(`{"fan": {"level": 4, "mode": "auto"}}`))
	fmt.Printf("%s\n", twin.Encode(twin.Diff(from, to)))
	// Output: {"fan":{"level":4},"site":null}
}

func ExampleParse() {
	t, err := twin.Parse([]byte(`{"deviceId":"pump-7","etag":"AAAAAAAAAAE=","version":2,"tags":{"site":"muc"}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.Ref, t.Tags()["site"])
	// Output: devices/pump-7 muc
}
