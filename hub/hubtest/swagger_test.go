package hubtest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// A description is Microsoft's of the API, testdata/iothub-dataplane.swagger.json,
// with schemas that know no members beside those described.
type description struct {
	Paths      map[string]map[string]*described
	Parameters map[string]parameter
	schemas    *jsonschema.Compiler
}

// A described operation is one of those 42.
type described struct {
	ID         string `json:"operationId"`
	Parameters []parameter
	Responses  map[string]struct {
		Schema  any
		Headers map[string]any
	}
	method, path string
}

type parameter struct {
	Ref      string `json:"$ref"`
	Name, In string
	Required bool
}

const descriptionURL = "mem:///swagger.json"

func readDescription(t *testing.T) *description {
	t.Helper()
	data, err := os.ReadFile("testdata/iothub-dataplane.swagger.json")
	if err != nil {
		t.Fatal(err)
	}
	d := &description{schemas: jsonschema.NewCompiler()}
	if err := json.Unmarshal(data, d); err != nil {
		t.Fatal(err)
	}
	for path, methods := range d.Paths {
		for method, op := range methods {
			op.method, op.path = strings.ToUpper(method), path
			for i, p := range op.Parameters {
				if name, ok := strings.CutPrefix(p.Ref, "#/parameters/"); ok {
					op.Parameters[i] = d.Parameters[name]
				}
			}
		}
	}
	d.compile(t, data)
	return d
}

func (d *description) compile(t *testing.T, data []byte) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, schema := range doc.(map[string]any)["definitions"].(map[string]any) {
		if s := schema.(map[string]any); s["properties"] != nil {
			s["additionalProperties"] = false
		}
	}
	d.schemas.DefaultDraft(jsonschema.Draft4)
	d.schemas.AssertFormat()
	for name, bits := range map[string]float64{"int32": 31, "int64": 63} {
		d.schemas.RegisterFormat(&jsonschema.Format{Name: name, Validate: wholeNumber(bits)})
	}
	if err := d.schemas.AddResource(descriptionURL, doc); err != nil {
		t.Fatal(err)
	}
}

func wholeNumber(bits float64) func(any) error {
	return func(v any) error {
		n, ok := v.(json.Number)
		if f, err := n.Float64(); ok && (err != nil || f != math.Trunc(f) || math.Abs(f) > math.Pow(2, bits)) {
			return fmt.Errorf("is no whole number of %v bits", bits+1)
		}
		return nil
	}
}

// operations returns the operations in the order of their ids.
func (d *description) operations() (list []*described) {
	for _, methods := range d.Paths {
		for _, op := range methods {
			list = append(list, op)
		}
	}
	slices.SortFunc(list, func(a, b *described) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// find returns the operation of a request, nil for none. A word in a path goes
// before a parameter in its place.
func (d *description) find(method string, u *url.URL) (found *described) {
	segments := strings.Split(strings.TrimSuffix(u.EscapedPath(), "/"), "/")
	best := -1
	for _, op := range d.operations() {
		if words := op.match(segments); op.method == method && words > best {
			found, best = op, words
		}
	}
	return found
}

// match returns how many segments are words of the path, -1 when others are not.
func (o *described) match(segments []string) (words int) {
	pattern := strings.Split(o.path, "/")
	if len(pattern) != len(segments) {
		return -1
	}
	for i, want := range pattern {
		switch {
		case want == segments[i]:
			words++
		case !strings.HasPrefix(want, "{"):
			return -1
		}
	}
	return words
}

// pointer returns where in the description something of o stands.
func (o *described) pointer(path ...string) string {
	at := descriptionURL + "#/paths/" + url.PathEscape(strings.ReplaceAll(o.path, "/", "~1")) + "/" + strings.ToLower(o.method)
	return at + "/" + strings.Join(path, "/")
}

// body returns the schema of the request, "" for none.
func (o *described) body() string {
	for i, p := range o.Parameters {
		if p.In == "body" {
			return o.pointer("parameters", fmt.Sprint(i), "schema")
		}
	}
	return ""
}

func (o *described) takes(in, name string) bool {
	return slices.ContainsFunc(o.Parameters, func(p parameter) bool {
		return p.In == in && strings.EqualFold(p.Name, name)
	})
}

// A finding is a place where traffic is not as described.
type finding struct{ operation, place, seen string }

// check holds a body against a schema.
func (d *description) check(op *described, direction, schema string, body []byte) (list []finding) {
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(body)))
	if err != nil {
		return []finding{{op.ID, direction, "no JSON"}}
	}
	s, err := d.schemas.Compile(schema)
	if err != nil {
		panic(fmt.Sprintf("schema %s: %v", schema, err))
	}
	var invalid *jsonschema.ValidationError
	if err := s.Validate(v); errors.As(err, &invalid) {
		for _, f := range leaves(invalid) {
			place := placeOf(f.SchemaURL)
			if place == "" {
				place = "body"
			}
			list = append(list, seen(finding{operation: op.ID, place: direction + " " + place}, f)...)
		}
	}
	return list
}

func leaves(e *jsonschema.ValidationError) (list []*jsonschema.ValidationError) {
	for _, cause := range e.Causes {
		list = append(list, leaves(cause)...)
	}
	if len(e.Causes) == 0 {
		list = append(list, e)
	}
	return list
}

// placeOf turns where a schema stands into something like Twin.tags.*.
func placeOf(schema string) string {
	_, pointer, _ := strings.Cut(schema, "#")
	if name, ok := strings.CutPrefix(pointer, "/definitions/"); ok {
		return strings.NewReplacer("/additionalProperties", ".*", "/properties/", ".", "/items", "[]").Replace(name)
	}
	_, inner, _ := strings.Cut(pointer, "/schema")
	return strings.ReplaceAll(inner, "/items", "[]")
}

// seen says what was found instead. An unknown member each is a finding.
func seen(f finding, e *jsonschema.ValidationError) []finding {
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		var list []finding
		for _, name := range k.Properties {
			list = append(list, finding{f.operation, f.place + "." + name, "a member that is not described"})
		}
		return list
	case *kind.Type:
		f.seen = "no " + strings.Join(k.Want, " or ")
		if k.Got == "null" {
			f.seen = "null"
		}
	case *kind.Format:
		f.seen = "no " + k.Want
	case *kind.Enum:
		f.seen = "another value"
		if k.Got == nil {
			f.seen = "null"
		}
	default:
		f.seen = fmt.Sprintf("%T %v", e.ErrorKind, e)
	}
	return []finding{f}
}

// checkHeaders looks for what an answer should say beside its body.
func (o *described) checkHeaders(status string, h http.Header) (list []finding) {
	for name := range o.Responses[status].Headers {
		if h.Get(name) == "" {
			list = append(list, finding{o.ID, "answer header " + name, "none"})
		}
	}
	return list
}
