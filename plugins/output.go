package plugins

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins/abi"
	"github.com/twinrules/twinrules/rules"
)

// decodeOutput reads the text of an abi.Output into a. Its error has a code and
// no more.
func decodeOutput(text []byte, a *Answer, granted grants) *Error {
	doc, err := twin.DecodeObject(text)
	if err != nil {
		return &Error{Code: EvalOutputInvalid, Err: fmt.Errorf("its answer: %w", err)}
	}
	o := &output{doc: doc}
	if failure := o.failure(); failure != nil && o.err == nil {
		return &Error{Code: EvalError, Err: failure}
	}
	o.answer(a)
	if o.err != nil {
		return &Error{Code: EvalOutputSchema, Err: fmt.Errorf("its answer: %w", o.err)}
	}
	if a.Finding != nil {
		if err := granted.check(a.Finding.Patch); err != nil {
			return &Error{Code: EvalWrite, Err: err}
		}
	}
	return nil
}

// refusal returns the error that init answered.
func refusal(text []byte) error {
	doc, err := twin.DecodeObject(text)
	if err != nil {
		return refusedError{fmt.Errorf("it refuses the configuration with an answer that is no JSON: %w", err)}
	}
	o := &output{doc: doc}
	failure := o.failure()
	if failure == nil {
		return refusedError{errors.New("it answers to the configuration with something other than an error")}
	}
	return refusedError{failure}
}

// An output takes the members out of a message. What is left over is unknown.
type output struct {
	doc twin.Object
	err error // the first mistake
}

func (o *output) fail(format string, args ...any) {
	if o.err == nil {
		o.err = fmt.Errorf(format, args...)
	}
}

// take removes the member called key and returns it, or the zero value when
// there is none.
func take[T any](o *output, key, kind string) (value T) {
	v, ok := o.doc[key]
	if !ok {
		return value
	}
	delete(o.doc, key)
	if value, ok = v.(T); !ok {
		o.fail("%s is not %s", key, kind)
	}
	return value
}

func (o *output) done(where string) {
	for _, key := range slices.Sorted(maps.Keys(o.doc)) {
		o.fail("unknown member %q%s", key, where)
	}
}

// failure returns the plugin's own error, nil when there is none.
func (o *output) failure() error {
	if _, ok := o.doc["error"]; !ok {
		return nil
	}
	inner := &output{doc: take[twin.Object](o, "error", "an object")}
	code, message := take[string](inner, "code", "a string"), take[string](inner, "message", "a string")
	inner.done(" in error")
	o.done(" beside error")
	if inner.err != nil {
		o.fail("%w", inner.err)
	}
	if code != "" {
		return fmt.Errorf("it says: %s (%s)", message, code)
	}
	return fmt.Errorf("it says: %s", message)
}

func (o *output) answer(a *Answer) {
	if _, ok := o.doc["match"]; !ok {
		o.fail("it lacks match")
	}
	match := take[bool](o, "match", "true or false")
	if !match {
		o.done(" where match is false")
		return
	}
	a.Finding = &rules.Finding{
		Facts:   take[twin.Object](o, "facts", "an object"),
		Patch:   o.patch(),
		Message: take[string](o, "message", "a string"),
	}
	a.Severity = take[string](o, "severity", "a string")
	if a.Severity != "" && !slices.Contains(abi.Severities[:], a.Severity) {
		o.fail("severity is %q, known are %q", a.Severity, abi.Severities)
	}
	a.Labels = o.labels()
	o.done("")
}

func (o *output) patch() twin.Patch {
	inner := &output{doc: take[twin.Object](o, "patch", "an object")}
	p := twin.Patch{
		Tags:    take[twin.Object](inner, "tags", "an object"),
		Desired: take[twin.Object](inner, "desired", "an object"),
	}
	inner.done(" in patch")
	if inner.err != nil {
		o.fail("%w", inner.err)
	}
	return p
}

func (o *output) labels() map[string]string {
	var labels map[string]string
	for key, v := range take[twin.Object](o, "labels", "an object") {
		text, ok := v.(string)
		if !ok {
			o.fail("a label is not a string")
			return nil
		}
		if labels == nil {
			labels = map[string]string{}
		}
		labels[key] = text
	}
	return labels
}

func sizeError(n int) error {
	return fmt.Errorf("what it reads of the twin has %d bytes, at most %d are given; declare reads", n, abi.MaxInput)
}
