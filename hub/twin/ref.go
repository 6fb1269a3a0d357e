package twin

import (
	"cmp"
	"fmt"
	"strings"
)

// A Ref names one document in a hub: a device twin, a module twin or a
// configuration. Exactly one of Device and Configuration is set; Module is set
// only with Device. Ref is comparable.
type Ref struct {
	Device        string `json:"device,omitempty"`
	Module        string `json:"module,omitempty"`
	Configuration string `json:"configuration,omitempty"`
}

// String returns the document's path in messages, such as "devices/pump-7",
// "devices/pump-7/modules/meter" or "configurations/tr-fan-1f2e". Ids stand as
// they are, unescaped.
func (r Ref) String() string {
	switch {
	case r.Configuration != "":
		return "configurations/" + r.Configuration
	case r.Module != "":
		return "devices/" + r.Device + "/modules/" + r.Module
	default:
		return "devices/" + r.Device
	}
}

// Compare orders refs: twins before configurations, by device, then the device
// before its modules. Ids compare by bytes.
func (r Ref) Compare(other Ref) int {
	return cmp.Or(
		strings.Compare(r.Configuration, other.Configuration),
		strings.Compare(r.Device, other.Device),
		strings.Compare(r.Module, other.Module))
}

// maxID is the longest id of a device, a module or a configuration, in bytes.
const maxID = 128

// CheckID says why id cannot be the id of a device or module, or returns nil.
// The alphabet is the one of the identity registry's documentation, with ":"
// which newer pages add.
func CheckID(id string) error {
	if id == "" || len(id) > maxID {
		return fmt.Errorf("an id has 1 to %d characters, this one has %d", maxID, len(id))
	}
	for i := range len(id) {
		if !idBytes[id[i]] {
			return fmt.Errorf("an id must not contain %q", string(rune(id[i])))
		}
	}
	return nil
}

// idBytes are the bytes that an id may have.
var idBytes = func() (allowed [256]bool) {
	for _, c := range []byte("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-.+%_#*?!(),:=@$'") {
		allowed[c] = true
	}
	return allowed
}()
