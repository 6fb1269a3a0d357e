package abi

import "encoding/json"

// Section is the name of the custom section that holds a module's manifest, so
// that it can be read without running the module.
const Section = "twinrules.manifest"

// A Manifest says what a plugin is and what it may do. It stands as JSON in the
// custom section [Section], with its schema inside; authors keep it beside their
// source.
type Manifest struct {
	APIVersion  string `json:"apiVersion"` // ManifestVersion
	Kind        string `json:"kind"`       // ManifestKind
	Name        string `json:"name"`
	Version     string `json:"version,omitempty"`
	Description string `json:"description,omitempty"`
	ABI         string `json:"abi"` // Version or Extism

	// Reads lists the paths of the twin that the plugin looks at, such as
	// "tags.site" or "reported.position", and [Now] if what it says depends on the
	// time. Without it the plugin is given the whole twin and the time, which is
	// slower; with an empty one, nothing.
	Reads []string `json:"reads,omitzero"`
	// Writes lists the paths at or below which its patch may set values, such as
	// "tags.wave". Without it the plugin may not change anything.
	Writes []string `json:"writes,omitzero"`

	Config *Config `json:"config,omitempty"`
	Limits *Limits `json:"limits,omitempty"`
}

// The values of a manifest's first two members.
const (
	ManifestVersion = "twinrules/v1"
	ManifestKind    = "Plugin"
)

// A Config describes the configuration that a rule gives to the plugin.
type Config struct {
	// Schema is a JSON Schema, which must stand alone: references are not followed.
	Schema json.RawMessage `json:"schema"`
}

// Limits are what the plugin says it needs. They lower the host's own, never
// raise them; 0 leaves them.
type Limits struct {
	Fuel   int64 `json:"fuel,omitempty"`   // units for one twin
	Memory int64 `json:"memory,omitempty"` // bytes
}

// Now is what Reads names beside paths, to be given [Input.Now].
const Now = "now"

// Roots are the names with which a path in Reads starts.
var Roots = [...]string{
	"id", "moduleId", "status", "connectionState", "lastActivityTime", "modelId", "edge",
	"tags", "desired", "reported",
}
