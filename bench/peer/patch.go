package peer

import (
	"bufio"
	"encoding/json"
	"io"
	"reflect"
	"strings"

	"github.com/twinrules/twinrules/bench/pack"
)

// A patcher writes, for each device that is not as the rules want it, a line with
// the device, its etag, the rules and a patch.
type patcher struct {
	ids     []string
	wishes  []wish // of the rules
	out     *bufio.Writer
	lines   *json.Encoder
	written int
}

// A wish is a place in the hub's document and what is to stand there.
type wish struct {
	place string
	path  []string
	value any
}

// A change is a line of the output.
type change struct {
	Device string         `json:"deviceId"`
	ETag   string         `json:"etag"`
	Rules  []string       `json:"rules"`
	Patch  map[string]any `json:"patch"`
}

func newPatcher(rules []pack.Rule, out io.Writer) *patcher {
	p := &patcher{out: bufio.NewWriterSize(out, 1<<20)}
	p.lines = json.NewEncoder(p.out)
	for _, r := range rules {
		path := append([]string{r.Wish.Section}, r.Wish.Path...)
		if r.Wish.Section == "desired" {
			path = append([]string{"properties"}, path...)
		}
		w := wish{place: strings.Join(path, "."), path: path}
		if err := json.Unmarshal([]byte(r.Wish.JSON), &w.value); err != nil {
			panic(err) // a constant of package fleet
		}
		p.ids, p.wishes = append(p.ids, r.ID), append(p.wishes, w)
	}
	return p
}

// write compares what the rules that hold want with what stands in document.
func (p *patcher) write(document map[string]any, hits []int) error {
	seen, patch := map[string]bool{}, map[string]any{}
	var by []string
	for _, i := range hits {
		w := &p.wishes[i]
		if reflect.DeepEqual(at(document, w.path), w.value) {
			continue
		}
		by = append(by, p.ids[i])
		if !seen[w.place] {
			seen[w.place] = true
			put(patch, w.path, w.value)
		}
	}
	if len(patch) == 0 {
		return nil
	}
	p.written++
	device, _ := document["deviceId"].(string)
	etag, _ := document["etag"].(string)
	return p.lines.Encode(change{device, etag, by, patch})
}

func (p *patcher) flush() error { return p.out.Flush() }

func at(v any, path []string) any {
	for _, key := range path {
		o, _ := v.(map[string]any)
		v = o[key]
	}
	return v
}

func put(o map[string]any, path []string, value any) {
	for _, key := range path[:len(path)-1] {
		next, ok := o[key].(map[string]any)
		if !ok {
			next = map[string]any{}
			o[key] = next
		}
		o = next
	}
	o[path[len(path)-1]] = value
}
