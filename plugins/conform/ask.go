package conform

import (
	"context"
	"errors"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/plugins"
)

// An answer is what a plugin says, as the want of a case spells it.
type answer struct {
	doc    twin.Object
	code   plugins.Code // of the failure, "" when there was none
	fuel   int64
	memory int64 // 0 when it failed
	patch  twin.Patch
}

// A judge is an instance, of rules or for a trial.
type judge interface {
	Judge(ctx context.Context, t *twin.Twin, now time.Time) (*plugins.Answer, error)
}

// ask returns what j says of t. Its error is none of the plugin's.
func ask(ctx context.Context, j judge, t *twin.Twin, now time.Time) (answer, error) {
	a, err := j.Judge(ctx, t, now)
	if failed, ok := errors.AsType[*plugins.Error](err); ok {
		return answer{doc: twin.Object{"error": failed.Err.Error()}, code: failed.Code, fuel: failed.Fuel}, nil
	}
	if err != nil {
		return answer{}, err
	}
	out := answer{doc: document(a), fuel: a.Fuel, memory: a.Memory}
	if a.Finding != nil {
		out.patch = a.Finding.Patch
	}
	return out, nil
}

// refused returns the answer of a plugin that refuses its configuration, and
// whether it is one that err is about.
func refused(err error) (answer, bool) {
	failed, ok := errors.AsType[*plugins.Error](err)
	if !ok {
		return answer{}, false
	}
	return answer{doc: twin.Object{"refused": failed.Err.Error()}, code: failed.Code, fuel: failed.Fuel}, true
}

// document writes an answer as the plugin did.
func document(a *plugins.Answer) twin.Object {
	f := a.Finding
	if f == nil {
		return twin.Object{"match": false}
	}
	doc := twin.Object{"match": true}
	if len(f.Facts) > 0 {
		doc["facts"] = f.Facts
	}
	patch := twin.Object{}
	for key, section := range map[string]twin.Object{"tags": f.Patch.Tags, "desired": f.Patch.Desired} {
		if len(section) > 0 {
			patch[key] = section
		}
	}
	if len(patch) > 0 {
		doc["patch"] = patch
	}
	for key, text := range map[string]string{"message": f.Message, "severity": a.Severity} {
		if text != "" {
			doc[key] = text
		}
	}
	if len(a.Labels) > 0 {
		labels := twin.Object{}
		for key, text := range a.Labels {
			labels[key] = text
		}
		doc["labels"] = labels
	}
	return doc
}

// same reports whether two answers say the same. What they cost is not compared.
func (a answer) same(b answer) bool { return a.code == b.code && twin.Equal(a.doc, b.doc) }
