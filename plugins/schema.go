package plugins

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/twinrules/twinrules/hub/twin"
)

// compileSchema reads the JSON Schema of a manifest. It refuses references:
// two lines of them make a schema whose checking never ends, and outside of
// the module there is nothing to refer to.
func compileSchema(text []byte) (*jsonschema.Schema, error) {
	doc, err := twin.Decode(text)
	if err == nil {
		err = checkStandalone(doc)
	}
	if err != nil {
		return nil, fmt.Errorf("config schema: %w", err)
	}
	plain, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("config schema: %w", err)
	}
	const url = "manifest:///config"
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	if err := c.AddResource(url, plain); err != nil {
		return nil, fmt.Errorf("config schema: %w", err)
	}
	schema, err := c.Compile(url)
	if err != nil {
		return nil, fmt.Errorf("config schema: %w", err)
	}
	return schema, nil
}

// noLoader keeps schemas from reading files and addresses.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s is outside of the manifest", url)
}

func checkStandalone(doc any) error {
	return each(doc, func(key string, v any) error {
		if key == "$ref" || key == "$dynamicRef" || key == "$recursiveRef" {
			return fmt.Errorf("%s is not supported, write the schema in place", key)
		}
		return checkNumber(v)
	})
}

// each calls visit with each value in v and the key it stands at, until the
// first error.
func each(v any, visit func(key string, v any) error) error {
	switch v := v.(type) {
	case twin.Object:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if err := cmp.Or(visit(key, v[key]), each(v[key], visit)); err != nil {
				return err
			}
		}
	case []any:
		for _, value := range v {
			if err := cmp.Or(visit("", value), each(value, visit)); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkNumber refuses numbers that the validator, which computes in fractions,
// cannot hold: it fails on 1e9999999.
func checkNumber(v any) error {
	n, ok := v.(json.Number)
	if !ok {
		return nil
	}
	f, err := strconv.ParseFloat(string(n), 64)
	zero := strings.Trim(string(n), "-0.") == ""
	if err != nil || len(n) > 64 || f == 0 && !zero {
		return fmt.Errorf("the number %.20s is out of range", n)
	}
	return nil
}

// checkConfig says why config does not fit schema, or returns nil.
func checkConfig(schema *jsonschema.Schema, config twin.Object) error {
	if err := each(config, func(_ string, v any) error { return checkNumber(v) }); err != nil {
		return err
	}
	plain, err := jsonschema.UnmarshalJSON(bytes.NewReader(twin.Encode(config)))
	if err != nil {
		return err
	}
	var invalid *jsonschema.ValidationError
	if err := schema.Validate(plain); errors.As(err, &invalid) {
		return errors.New(mistakes(invalid))
	} else if err != nil {
		return err
	}
	return nil
}

// mistakes writes each innermost mistake as "path: what", in one line.
func mistakes(e *jsonschema.ValidationError) string {
	if len(e.Causes) == 0 {
		where := strings.Join(e.InstanceLocation, ".")
		text := e.Error()
		if i := strings.LastIndex(text, "': "); i >= 0 {
			text = text[i+len("': "):]
		}
		return strings.TrimPrefix(where+": "+text, ": ")
	}
	var list []string
	for _, cause := range e.Causes {
		list = append(list, mistakes(cause))
	}
	return strings.Join(list, "; ")
}
