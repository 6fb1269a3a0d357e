package plugin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	plugin "github.com/twinrules/twinrules/plugins/sdk/go"
)

func TestValue(t *testing.T) {
	v := plugin.ParseValue([]byte(` { "a" : {"b": [1, "two", {"c":null}], "e.f": 1}, "t":true, "x\"\u00e9\ud83d\ude00\n": "\ud83d\ude00\/", "n":-1.5e3,"big":9007199254740993, "s":"5" } `))
	text := func(path string) any { s, ok := v.Get(path).Text(); return fmt.Sprintf("%v %v", s, ok) }
	float := func(path string) any { f, ok := v.Get(path).Float(); return fmt.Sprintf("%v %v", f, ok) }
	integer := func(path string) any { n, ok := v.Get(path).Int(); return fmt.Sprintf("%v %v", n, ok) }
	truth := func(path string) any { b, ok := v.Get(path).Bool(); return fmt.Sprintf("%v %v", b, ok) }
	tests := []struct {
		name      string
		got, want any
	}{
		{"a string", text("x\"é😀\n"), "😀/ true"},
		{"a number is no string", text("n"), " false"},
		{"a missing string", text("q"), " false"},
		{"a number", float("n"), "-1500 true"},
		{"a string is no number", float("s"), "0 false"},
		{"an integer", integer("big"), "9007199254740993 true"},
		{"a fraction is no integer", integer("n"), "0 false"},
		{"true", truth("t"), "true true"},
		{"a number is no bool", truth("n"), "false false"},
		{"a missing bool", truth("a.b.c"), "false false"},
		{"an object exists", v.Get("a").Exists(), true},
		{"a path through a list", v.Get("a.b.0").Exists(), false},
		{"a path through a number", v.Get("n.x").Exists(), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.got != tt.want {
				t.Errorf("got %v, want %v", tt.got, tt.want)
			}
		})
	}
	n := 0
	for e := range v.Get("a.b").Elements() {
		n++
		if n == 3 && !e.Get("c").Exists() {
			t.Error("a null in an element does not exist")
		}
	}
	if n != 3 {
		t.Errorf("there are %d elements, want 3", n)
	}
}

// decode reads v as encoding/json does.
func decode(v plugin.Value) any {
	if s, ok := v.Text(); ok {
		return s
	}
	if f, ok := v.Float(); ok {
		return f
	}
	if b, ok := v.Bool(); ok {
		return b
	}
	list, object := []any{}, map[string]any{}
	for e := range v.Elements() {
		list = append(list, decode(e))
	}
	for key, m := range v.Members() {
		object[key] = decode(m)
	}
	switch {
	case len(list) > 0:
		return list
	case len(object) > 0:
		return object
	}
	return nil
}

// empty makes empty lists and objects alike, as decode does.
func empty(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = empty(v[i])
		}
		if len(v) == 0 {
			return nil
		}
	case map[string]any:
		for key := range v {
			v[key] = empty(v[key])
		}
		if len(v) == 0 {
			return nil
		}
	}
	return v
}

// FuzzValue compares with encoding/json on what is JSON, and does not panic on
// what is not.
func FuzzValue(f *testing.F) {
	f.Add(`{"a":[1,{"b":"\u00e9\ud83d\ude00"},true,null],"c":-1e-5}`)
	f.Add(`"\ud83d"`)
	f.Add(`[[],{},""]`)
	f.Add(`{"a`)
	f.Add(`[1,`)
	f.Add(`{"a":"\`)
	f.Fuzz(func(t *testing.T, text string) {
		got := decode(plugin.ParseValue([]byte(text)))
		var want any
		if json.Unmarshal([]byte(text), &want) != nil || strings.Contains(text, "\ufffd") || !json.Valid([]byte(strings.ToValidUTF8(text, ""))) {
			return
		}
		if strings.ToValidUTF8(text, "") != text || strings.Contains(text, `\u`) {
			return // halves of pairs are spelled differently
		}
		if want = empty(want); !reflect.DeepEqual(got, want) {
			t.Errorf("%s is read as %#v, want %#v", text, got, want)
		}
	})
}

func TestAnswer(t *testing.T) {
	tests := []struct {
		name  string
		judge plugin.Judge
		want  string
	}{
		{"no match", func(plugin.Input, *plugin.Answer) (bool, error) { return false, nil }, ``},
		{"no more than a match", func(plugin.Input, *plugin.Answer) (bool, error) { return true, nil }, `{"match":true}`},
		{"all", func(in plugin.Input, a *plugin.Answer) (bool, error) {
			a.Fact("score", 0.5)
			a.Fact("score", 0.75)
			a.Fact("n.m", in.Now)
			a.Set("desired.fan.speed", 3)
			a.Set("desired.fan.mode", "a\"\x01b")
			a.Set("tags.wave", nil)
			a.Message("hot")
			a.Severity("warning")
			a.Label("team", "cold")
			return true, nil
		}, `{"match":true,"facts":{"score":0.75,"n.m":5},"patch":{"tags":{"wave":null},"desired":{"fan":{"speed":3,"mode":"a\"\u0001b"}}},"message":"hot","severity":"warning","labels":{"team":"cold"}}`},
		{"desired alone", func(_ plugin.Input, a *plugin.Answer) (bool, error) {
			a.Set("desired.on", true)
			return true, nil
		}, `{"match":true,"patch":{"desired":{"on":true}}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			configure := func(plugin.Value) (plugin.Judge, error) { return tt.judge, nil }
			got, err := plugin.Run(configure, `{}`, `{"now":5,"twin":{}}`)
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if got != "" && !json.Valid([]byte(got)) {
				t.Error("it is not JSON")
			}
		})
	}
}

// Example is a plugin that finds devices with a low battery.
func Example() {
	configure := func(config plugin.Value) (plugin.Judge, error) {
		low, ok := config.Get("low").Float()
		if !ok {
			return nil, errors.New("low is missing")
		}
		return func(in plugin.Input, a *plugin.Answer) (bool, error) {
			percent, known := in.Twin.Get("reported.battery.pct").Float()
			if !known || percent >= low {
				return false, nil
			}
			a.Fact("missing", low-percent)
			a.Set("tags.power", "saver")
			return true, nil
		}, nil
	}
	// A plugin has: var _ = plugin.Main(configure)
	fmt.Println(plugin.Run(configure, `{"low":20}`, `{"now":0,"twin":{"reported":{"battery":{"pct":11}}}}`))
	// Output: {"match":true,"facts":{"missing":9},"patch":{"tags":{"power":"saver"}}} <nil>
}
