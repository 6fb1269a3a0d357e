package hubtest

import "strings"

// A Label is a kind of evidence for what a case claims.
type Label struct{ Name, Doc string }

// Labels lists every label there is, the strongest first.
var Labels = []Label{
	{"REC", "sessions with a real hub, recorded by Microsoft"},
	{"LIVE", "a third party's findings on a real hub"},
	{"INT", "Microsoft's integration tests, run against real hubs"},
	{"MEAS", "what Microsoft's own clients were measured to send and to take"},
	{"SDK", "source of Microsoft's clients: what they expect, not what a hub does"},
	{"DOC", "Microsoft's documentation"},
	{"SWAG", "Microsoft's description of the API"},
	{"INF", "an inference, which a real hub may refute"},
}

// Labels returns the names of the labels in the evidence of c, the strongest
// first. A label begins it, or follows a semicolon.
func (c *Case) Labels() []string {
	given := map[string]bool{}
	for clause := range strings.SplitSeq(c.Evidence, ";") {
		word, _, _ := strings.Cut(strings.TrimSpace(clause), ":")
		word, _, _ = strings.Cut(word, " ")
		given[word] = true
	}
	var names []string
	for _, l := range Labels {
		if given[l.Name] {
			names = append(names, l.Name)
		}
	}
	return names
}
