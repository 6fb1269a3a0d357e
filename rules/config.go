package rules

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// A Config is what a file of kind Config says: the settings of a program, which
// are no part of a pack but are read as strictly.
type Config struct {
	Values   []*ConfigValue
	Profiles map[string][]*ConfigValue // by name; what is said there goes over Values
}

// A ConfigValue is one setting.
type ConfigValue struct {
	Key   string   // from the top, such as "hub.auth.credential"
	Texts []string // one, or those of a list
	at    setting
}

// Pos returns where the value stands.
func (v *ConfigValue) Pos() Pos { return v.at.pos() }

// Refuse returns the [Diagnostics] of a value that means nothing to the program.
func (v *ConfigValue) Refuse(message, hint string) error {
	r := &reporter{}
	setting{r, v.at.src, v.at.node}.report(WrongValue, hint, "%s: %s", v.Key, message)
	return r.sorted()
}

// ReadConfig reads data, the file called name. It may have keys, written from
// the top with dots between, and under profiles.NAME the same ones again. Its
// error is a [Diagnostics] of all mistakes.
func ReadConfig(name string, data []byte, keys []string) (*Config, error) {
	r := &reporter{}
	root, ok := r.readDocument(name, data)
	if !ok {
		return nil, r.sorted()
	}
	m := root.mapping()
	m.need("apiVersion").word("", Version)
	m.need("kind").word("", "Config")
	c := &Config{Profiles: map[string][]*ConfigValue{}}
	profiles := m.get("profiles").mapping()
	for _, key := range profiles.keys {
		c.Profiles[key.name()] = profiles.get(key.node.Value).mapping().leaves("", keys)
	}
	c.Values = m.leaves("", keys)
	if found := r.sorted(); len(found) > 0 {
		return nil, found
	}
	return c, nil
}

// leaves reads the values below prefix that are in keys, and reports the rest.
func (m *mapping) leaves(prefix string, keys []string) (list []*ConfigValue) {
	for _, word := range words(prefix, keys) {
		value, key := m.get(word), prefix+word
		switch {
		case !value.exists():
		case slices.Contains(keys, key):
			list = append(list, &ConfigValue{key, value.texts(), value})
		default:
			list = append(list, value.mapping().leaves(key+".", keys)...)
		}
	}
	m.done()
	return list
}

// words returns what may stand right below prefix, in the order of keys.
func words(prefix string, keys []string) (list []string) {
	for _, key := range keys {
		rest, below := strings.CutPrefix(key, prefix)
		word, _, _ := strings.Cut(rest, ".")
		if below && !slices.Contains(list, word) {
			list = append(list, word)
		}
	}
	return list
}

// texts reads a scalar or a list of scalars.
func (s setting) texts() (list []string) {
	if s.node.Kind != yaml.SequenceNode {
		return []string{s.plain()}
	}
	for _, element := range s.list() {
		list = append(list, element.plain())
	}
	return list
}

// plain reads a scalar as it would be written in JSON, a string without quotes.
func (s setting) plain() string {
	if s.node.Kind != yaml.ScalarNode {
		return s.text()
	}
	if value := s.scalar(); value != nil {
		return fmt.Sprint(value)
	}
	s.report(WrongType, "leave the key out to say nothing", "nothing where a value must stand")
	return ""
}
