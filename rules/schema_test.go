package rules_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/twinrules/twinrules/rules"
)

// editorSchema compiles the schema as a validator of draft-07.
func editorSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(rules.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// asJSON reads YAML as an editor does: times stay strings.
func asJSON(t testing.TB, text string) any {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	retag(&n)
	var v any
	if err := n.Decode(&v); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func retag(n *yaml.Node) {
	if n.Tag == "!!timestamp" {
		n.Tag = "!!str"
	}
	for _, c := range n.Content {
		retag(c)
	}
}

// TestSchemaAcceptsWhatIsRead: every pack of the examples, and every value that
// reading takes.
func TestSchemaAcceptsWhatIsRead(t *testing.T) {
	schema := editorSchema(t)
	files, err := filepath.Glob("../examples/rules/*/pack.yaml")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(asJSON(t, string(data))); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	for name, c := range map[string]string{
		"texts that look like other things": "  - {id: 5, description: true, on: device, when: true, patch: {tags: {a: 1}}}",
		"a plugin in place of a patch":      "  - {id: a, plugin: {use: b, with: {x: [1]}, onError: skip}}",
		"a test of an error":                "  - {id: a, patch: {tags: {a: 1}}, tests: [{name: 1, now: 2026-11-21T06:00:00Z, twin: {status: enabled}, expect: {error: no}}]}",
		"metrics":                           "  - {id: a, patch: {desired: {a: 1}}, configuration: {priority: 3, metrics: {ok: reported.a == 1}}}",
		"a mode":                            "  - {id: a, mode: off, patch: {tags: {a: 1}}}",
	} {
		text := head + c + "\n"
		for _, d := range check(onePack(text)) {
			if d.Code != rules.BadPlugin {
				t.Errorf("%s: reading: %s", name, d)
			}
		}
		if err := schema.Validate(asJSON(t, text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

const head = "apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: p}\nrules:\n"

// TestSchemaAndReadingAgree goes through every key of the table, at every place
// where its shape stands: a document with the key is refused by neither for the
// key's sake; a misspelt key, a missing one, a wrong word and a number out of
// range are refused by both.
func TestSchemaAndReadingAgree(t *testing.T) {
	schema := editorSchema(t)
	pack := rules.Shapes[0]
	seen := map[string]bool{}
	places(pack, nil, func(shape *rules.Shape, place []string) {
		seen[shape.Name] = true
		whole := object(shape)
		for _, k := range shape.Keys {
			at := strings.Join(append(slices.Clone(place), k.Name), ".")
			agree(t, schema, at, document(place, whole), "")
			agree(t, schema, at+" misspelt", document(place, with(whole, k.Name+"zz", 1)), rules.UnknownKey)
			if k.Required {
				agree(t, schema, at+" missing", document(place, with(whole, k.Name, nil)), rules.MissingKey)
			}
			switch k.Sort {
			case rules.Word:
				agree(t, schema, at+" of another word", document(place, with(whole, k.Name, "nonsense")), rules.WrongValue)
			case rules.Whole:
				agree(t, schema, at+" too large", document(place, with(whole, k.Name, k.High+1)), rules.WrongValue)
				agree(t, schema, at+" too small", document(place, with(whole, k.Name, k.Low-1)), rules.WrongValue)
			case rules.Mapping, rules.Constants, rules.Values, rules.Truth:
				agree(t, schema, at+" of another type", document(place, with(whole, k.Name, "text")), rules.WrongType)
			case rules.List:
				agree(t, schema, at+" of another type", document(place, with(whole, k.Name, map[string]any{})), rules.WrongType)
			}
		}
	})
	for _, s := range rules.Shapes {
		if !seen[s.Name] {
			t.Errorf("the shape %s stands nowhere", s.Name)
		}
	}
}

// agree holds both to the same answer about shape; code is what reading says,
// "" when it should find nothing.
func agree(t *testing.T, schema *jsonschema.Schema, name string, doc map[string]any, code rules.Code) {
	t.Helper()
	text, err := yaml.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, d := range check(onePack(string(text))) {
		found = found || d.Code == code
		if code == "" && slices.Contains([]rules.Code{rules.UnknownKey, rules.MissingKey, rules.WrongType, rules.WrongValue}, d.Code) {
			t.Errorf("%s: reading refuses it: %s\n%s", name, d, text)
		}
	}
	if code != "" && !found {
		t.Errorf("%s: reading does not say %s of\n%s", name, code, text)
	}
	if err := schema.Validate(asJSON(t, string(text))); (err != nil) != (code != "") {
		t.Errorf("%s: the schema says %v, reading %q of\n%s", name, err, code, text)
	}
}

// places visits every shape below s with the keys that lead to it; "[]" is an
// element of a list, "x" a name of the author's own.
func places(s *rules.Shape, path []string, visit func(*rules.Shape, []string)) {
	visit(s, path)
	for _, k := range s.Keys {
		switch below := append(slices.Clone(path), k.Name); k.Sort {
		case rules.List:
			places(k.Of, append(below, "[]"), visit)
		case rules.Mapping, rules.Expected:
			places(k.Of, below, visit)
		}
	}
	if s.Free != nil && s.Free.Of != nil {
		places(s.Free.Of, append(slices.Clone(path), "x"), visit)
	}
}

// object returns a mapping of shape with every key that can stand beside the
// others.
func object(s *rules.Shape) map[string]any {
	o := map[string]any{}
	for _, k := range s.Keys {
		if v := value(s, k); v != nil {
			o[k.Name] = v
		}
	}
	if s.Free != nil {
		o["x"] = value(s, *s.Free)
	}
	return o
}

// value returns something that may stand behind k; nil for what is not read, for
// cron, which excludes every, and for content, which excludes a patch.
func value(s *rules.Shape, k rules.Key) any {
	special := map[string]any{
		"rule.on": "device", "schedule.every": "15m", "schedule.timeZone": "Europe/Berlin", "test.now": "2026-11-21T06:00:00Z",
		"plugin source.source": "oci://example.com/p:1", "verify.minisign": []any{"x"}, "verify.cosign": []any{"x"}, "plugin source.digest": "sha256:" + strings.Repeat("0", 64),
		"test twin.lastActivityTime": "2026-11-21T06:00:00Z", "plugin.use": "x", "test.expect": map[string]any{"tags": map[string]any{"a": 1}},
		"test twin.moduleId": "m", "window.timeZone": "Europe/Berlin", "window.days": []any{"mon", "sun"}, "window.from": "02:00", "window.to": "05:00",
		"rule.allowForeign": []any{"x"}, "snapshot test.now": "2026-11-21T06:00:00Z", "configuration.content": nil,
		"rollout.by": "tags.site", "rollout.waves": []any{1, "5%", "100%"}, "rollout.soak": "30m", "gate.minOk": "80%", "gate.maxFail": "2.5%", "gate.timeout": "2h",
	}
	if v, ok := special[s.Name+"."+k.Name]; ok {
		return v
	}
	if k.Name == "cron" {
		return nil
	}
	switch k.Sort {
	case rules.Word:
		return k.Words[0]
	case rules.Whole:
		return k.High
	case rules.Truth:
		return true
	case rules.Expression:
		return `tags.z == "y"`
	case rules.Constants, rules.Values:
		return map[string]any{"a": 1}
	case rules.Mapping, rules.Expected:
		return object(k.Of)
	case rules.List:
		return []any{object(k.Of)}
	}
	return "x"
}

func with(o map[string]any, key string, v any) map[string]any {
	out := map[string]any{}
	for k, old := range o {
		out[k] = old
	}
	if out[key] = v; v == nil {
		delete(out, key)
	}
	return out
}

// document returns a pack in which o stands at place.
func document(place []string, o any) map[string]any {
	for i := len(place) - 1; i >= 0; i-- {
		if place[i] == "[]" {
			o = []any{o}
			continue
		}
		o = with(object(shapeAt(place[:i])), place[i], o)
	}
	return o.(map[string]any)
}

func shapeAt(place []string) *rules.Shape {
	var found *rules.Shape
	places(rules.Shapes[0], nil, func(s *rules.Shape, at []string) {
		if fmt.Sprint(at) == fmt.Sprint(place) {
			found = s
		}
	})
	return found
}
