package emulator

import (
	"fmt"
	"net/http"
)

// An aadsts is a refusal of the authority: the numbers that follow "AADSTS" are
// what people search for, so they and their texts are Entra's.
type aadsts struct {
	status int
	oauth  string // such as "invalid_client"
	number int
	text   string
}

func (e *aadsts) Error() string { return fmt.Sprintf("AADSTS%d: %s", e.number, e.text) }

type aadstsBody struct {
	Error         string `json:"error"`
	Description   string `json:"error_description"`
	Codes         []int  `json:"error_codes"`
	Timestamp     string `json:"timestamp"`
	TraceID       string `json:"trace_id"`
	CorrelationID string `json:"correlation_id"`
	URI           string `json:"error_uri"`
}

func (a *authority) reject(e aadsts) *answer {
	trace, correlation := a.dice.uuid(), a.dice.uuid()
	when := a.now().UTC().Format("2006-01-02 15:04:05Z")
	return newAnswer(e.status, marshal(aadstsBody{
		Error: e.oauth,
		Description: fmt.Sprintf("%s Trace ID: %s Correlation ID: %s Timestamp: %s",
			e.Error(), trace, correlation, when),
		Codes: []int{e.number}, Timestamp: when, TraceID: trace, CorrelationID: correlation,
		URI: fmt.Sprintf("%s/error?code=%d", a.url, e.number),
	}))
}

// fail answers as Entra does when it is the one at fault.
func (a *authority) fail(_ *http.Request, f *Fault) *answer {
	return a.reject(aadsts{f.Status, "temporarily_unavailable", 90033,
		either(f.Text, "A transient error has occurred. Please try again.")})
}
