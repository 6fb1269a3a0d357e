package pack

// A Condition is what a rule asks, in no language: one of the types below. A
// dialect spells it. A missing member and null are alike; an ordering with them
// is false.
type Condition interface{ condition() }

type (
	// All holds when each of its parts does.
	All []Condition
	// Any holds when one of its parts does.
	Any []Condition
	// Not holds when its part does not.
	Not struct{ Of Condition }

	// Equal compares with text.
	Equal struct {
		Path Path
		Text string
	}
	// Differs holds for what is missing, too.
	Differs struct {
		Path Path
		Text string
	}
	// In looks a text up in a list.
	In struct {
		Path  Path
		Texts []string
	}
	// Matches is for a regular expression without backslashes.
	Matches struct {
		Path    Path
		Pattern string
	}
	// Starts tests the beginning of a text.
	Starts struct {
		Path Path
		With string
	}
	// Contains looks for a part of a text.
	Contains struct {
		Path Path
		Part string
	}
	// Below and Above order numbers.
	Below struct {
		Path Path
		Than int
	}
	Above struct {
		Path Path
		Than int
	}
	// AboveOr orders a number that is Or when it is missing.
	AboveOr struct {
		Path     Path
		Or, Than int
	}
	// True holds for a flag that is set.
	True struct{ Path Path }
	// Missing holds for what is not there.
	Missing struct{ Path Path }
	// Same compares two texts, of which one is known to be there.
	Same struct{ A, B Path }
	// Drift holds when Wanted is there and Told is not the same.
	Drift struct{ Wanted, Told Path }
	// Fuller holds when Used is more than Percent of Total.
	Fuller struct {
		Used, Total Path
		Percent     int
	}
	// OlderVersion orders semantic versions.
	OlderVersion struct {
		Path Path
		Than string // a release
	}
	// Silent holds for a device that spoke once, and not for these hours.
	Silent struct{ Hours int }
	// Stale holds for a leaf that was last written more than these hours ago.
	Stale struct {
		Path  Path
		Hours int
	}
	// AnyStarts holds when an element of a list of texts begins so.
	AnyStarts struct {
		Path Path
		With string
	}
)

func (All) condition()          {}
func (Any) condition()          {}
func (Not) condition()          {}
func (Equal) condition()        {}
func (Differs) condition()      {}
func (In) condition()           {}
func (Matches) condition()      {}
func (Starts) condition()       {}
func (Contains) condition()     {}
func (Below) condition()        {}
func (Above) condition()        {}
func (AboveOr) condition()      {}
func (True) condition()         {}
func (Missing) condition()      {}
func (Same) condition()         {}
func (Drift) condition()        {}
func (Fuller) condition()       {}
func (OlderVersion) condition() {}
func (Silent) condition()       {}
func (Stale) condition()        {}
func (AnyStarts) condition()    {}

// Bounds that stand in for a missing number, so that its comparison is false.
const (
	low  = -1_000_000_000_000
	high = 1_000_000_000_000
)

// unknown is a condition that a dialect has no words for: a mistake of ours.
func unknown(c Condition) string { panic(c) }
