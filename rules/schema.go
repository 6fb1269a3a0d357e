package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// SchemaFile is the name under which the schema lies beside a pack.
const SchemaFile = "twinrules.schema.json"

// Modeline is the first line of a pack's file that lets the YAML language server
// find the schema beside it.
const Modeline = "# yaml-language-server: $schema=" + SchemaFile

// Schema returns the JSON Schema of a pack's files for editors, made from
// [Shapes], [Names] and [Functions]. It accepts every file that [Load] accepts.
// It is draft-07, because older YAML language servers read nothing newer.
func Schema() []byte {
	definitions := map[string]any{}
	for _, s := range Shapes {
		definitions[s.Name] = s.schema()
	}
	root := packShape.schema()
	delete(definitions, packShape.Name)
	root["$schema"] = "http://json-schema.org/draft-07/schema#"
	root["title"] = "A pack of twinrules, " + Version
	root["definitions"] = definitions
	root["allOf"] = []any{
		whenKind(kindPack, map[string]any{"required": []string{"metadata"}}),
		whenKind(kindRules, map[string]any{"properties": onlyRules()}),
	}
	definitions[ruleShape.Name].(map[string]any)["anyOf"] = []any{
		map[string]any{"required": []string{"patch"}},
		map[string]any{"required": []string{"plugin"}},
		map[string]any{"required": []string{"configuration"}},
	}
	definitions[testShape.Name].(map[string]any)["anyOf"] = []any{
		map[string]any{"required": []string{"expect"}},
		map[string]any{"required": []string{"gate"}},
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(root); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func whenKind(kind string, then map[string]any) map[string]any {
	is := map[string]any{"properties": map[string]any{"kind": map[string]any{"const": kind}}, "required": []string{"kind"}}
	return map[string]any{"if": is, "then": then}
}

// onlyRules refuses what a file of kind Rules does not have.
func onlyRules() map[string]any {
	refused := map[string]any{}
	for _, k := range packShape.Keys {
		switch k.Name {
		case "apiVersion", "kind", "rules":
		default:
			refused[k.Name] = false
		}
	}
	return refused
}

// namesSchema is what a name of the author's own must match.
func namesSchema() map[string]any {
	return map[string]any{"pattern": identifier.String(), "maxLength": maxName}
}

func (s *Shape) schema() map[string]any {
	out := map[string]any{"type": "object", "description": s.Doc, "additionalProperties": false}
	properties, required := map[string]any{}, []string{}
	for _, k := range s.Keys {
		property := k.schema()
		property["description"] = k.help()
		property["markdownDescription"] = property["description"]
		properties[k.Name] = property
		if k.Required {
			required = append(required, k.Name)
		}
	}
	if len(properties) > 0 {
		out["properties"] = properties
	}
	if len(required) > 0 {
		out["required"] = required
	}
	if s.Free != nil {
		out["additionalProperties"], out["propertyNames"] = s.Free.schema(), namesSchema()
	}
	return out
}

// scalars are the types of a text: reading takes what is written as it is spelled.
var scalars = []string{"string", "number", "boolean"}

func (k *Key) schema() map[string]any {
	switch k.Sort {
	case Named:
		out := namesSchema()
		out["type"] = scalars
		return out
	case Word:
		return map[string]any{"enum": k.Words}
	case Whole:
		return map[string]any{"type": "integer", "minimum": k.Low, "maximum": k.High}
	case Truth:
		return map[string]any{"type": "boolean"}
	case Expression:
		return map[string]any{"type": []string{"string", "boolean"}, "minLength": 1}
	case Constants, Values:
		return map[string]any{"type": "object"}
	case Mapping:
		return map[string]any{"allOf": []any{k.Of.ref()}}
	case List:
		return map[string]any{"type": "array", "items": k.Of.ref()}
	case Texts:
		element := map[string]any{"type": scalars}
		if k.Words != nil {
			element = map[string]any{"enum": k.Words}
		}
		return map[string]any{"type": "array", "items": element}
	case Expected:
		return map[string]any{"anyOf": []any{map[string]any{"const": "none"}, k.Of.ref()}}
	default:
		return map[string]any{"type": scalars}
	}
}

func (s *Shape) ref() map[string]any {
	return map[string]any{"$ref": "#/definitions/" + strings.ReplaceAll(s.Name, " ", "%20")}
}

// help is what an editor shows for the key; of an expression also what it can
// say.
func (k *Key) help() string {
	if k.Sort != Expression {
		return k.Doc
	}
	var b strings.Builder
	b.WriteString(k.Doc + "\n\nNames:\n\n")
	for _, n := range Names {
		fmt.Fprintf(&b, "- `%s`: %s\n", n.Name, n.Doc)
	}
	b.WriteString("\nFunctions:\n\n")
	for _, f := range Functions {
		fmt.Fprintf(&b, "- `%s`: %s\n", f.Signature, f.Doc)
	}
	return b.String()
}
