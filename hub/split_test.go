package hub

import (
	"bytes"
	"encoding/json"
	"testing"
)

// Of an array that is JSON the parts are its elements; of anything else they
// are not all JSON, or there are none.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{
		`[]`, ` [ ] `, `[1]`, `[1,{"a":"],["},[2,"\\"],"\"" ]`, `[1,]`, `[,1]`, `[`, `]`, `[}`, `["`, `["\`, `[1]2`, `null`, `{}`, `[{]}`, `[[]`, ``, `[1}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		parts, err := split(data)
		valid := err == nil
		for _, part := range parts {
			valid = valid && json.Valid(part)
		}
		var want []json.RawMessage
		array := json.Unmarshal(data, &want) == nil && want != nil
		if valid != array || valid && len(parts) != len(want) {
			t.Fatalf("%q: got %q, %v; want %q", data, parts, err, want)
		}
		for i := range want {
			if valid && !bytes.Equal(parts[i], want[i]) {
				t.Errorf("%q: part %d is %q, want %q", data, i, parts[i], want[i])
			}
		}
	})
}
