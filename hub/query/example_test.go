package query_test

import (
	"fmt"
	"log"

	"github.com/twinrules/twinrules/hub/query"
	"github.com/twinrules/twinrules/hub/twin"
)

func Example() {
	q, err := query.Parse(`SELECT * FROM devices WHERE tags.site = 'muc' AND properties.reported.battery.pct < 20`)
	if err != nil {
		log.Fatal(err)
	}
	t, err := twin.Parse([]byte(`{"deviceId":"pump-7","tags":{"site":"muc"},"properties":{"reported":{"battery":{"pct":11}}}}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(q)
	fmt.Println(t.Ref, q.Matches(t))
	// Output:
	// SELECT * FROM devices WHERE (tags.site = 'muc') AND (properties.reported.battery.pct < 20)
	// devices/pump-7 true
}

func ExampleAnd() {
	site := query.Binary{Op: "IN", Left: query.Path{"tags", "site"}, Right: query.List{query.String("muc"), query.String("ber")}}
	group := query.Binary{Op: "=", Left: query.Path{"tags", "group"}, Right: query.Number("3")}
	fmt.Println(query.And(site, nil, group))
	// Output: (tags.site IN ['muc', 'ber']) AND (tags.[[group]] = 3)
}

func ExampleParseCondition() {
	_, err := query.ParseCondition(`tags.group = 'west'`)
	fmt.Println(err)
	// Output: invalid query at offset 5: "group" is a reserved word; as a name it is written [[group]]
}
