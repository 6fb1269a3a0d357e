package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
)

const setter = "  - {id: r, patch: {desired: {interval: 900}, tags: {power: saver}}}\n"

func device(i int) twin.Ref { return twin.Ref{Device: fmt.Sprintf("d%04d", i)} }

// summary shows a receipt in a line.
func summary(r *engine.Receipt) string {
	var parts []string
	for _, s := range []engine.Status{engine.Written, engine.Converged, engine.Changed, engine.Gone, engine.Rejected, engine.InDoubt} {
		if n := r.Count(s); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	if r.Left > 0 {
		parts = append(parts, fmt.Sprintf("%d left", r.Left))
	}
	return strings.Join(parts, ", ")
}

// TestApply is what becomes of one change when somebody or something interferes.
func TestApply(t *testing.T) {
	other := func(m *memory, p twin.Patch) { m.twins[device(0)].write(p) }
	number := func(n string) any { return json.Number(n) }
	for name, c := range map[string]struct {
		arrange func(m *memory)
		want    string // of the receipt
		detail  string
		err     error
		writes  int
	}{
		"nothing": {func(*memory) {}, "1 written", "", nil, 1},
		"another place changed": {func(m *memory) { other(m, twin.Patch{Tags: twin.Object{"site": "x"}}) },
			"1 written", "", nil, 1},
		"the same place changed": {func(m *memory) { other(m, twin.Patch{Desired: twin.Object{"interval": number("120")}}) },
			"1 changed", "desired.interval is 120 now, it was 60", nil, 0},
		"somebody did it already": {func(m *memory) {
			other(m, twin.Patch{Desired: twin.Object{"interval": number("900.0")}, Tags: twin.Object{"power": "saver"}})
		}, "1 converged", "", nil, 0},
		"somebody did half of it": {func(m *memory) { other(m, twin.Patch{Tags: twin.Object{"power": "saver"}}) },
			"1 written", "", nil, 1},
		"deleted": {func(m *memory) { delete(m.twins, device(0)) }, "1 gone", "not found", nil, 0},
		"deleted and created again": {func(m *memory) {
			*m.twins[device(0)] = stored{desired: twin.Object{"interval": number("60")}, etag: 9, version: 2, dv: 0}
		}, "1 changed", "created again", nil, 0},
		"the answer is lost": {func(m *memory) {
			m.after = func(_ twin.Ref, n int) error { return lose(n == 1) }
		}, "1 converged", "", nil, 1},
		"the request is lost": {func(m *memory) {
			m.before = func(_ twin.Ref, n int) error { return lose(n == 1) }
		}, "1 written", "", nil, 1},
		"the answer is lost and somebody takes it back": {func(m *memory) {
			m.after = func(ref twin.Ref, n int) error {
				if n == 1 {
					m.twins[ref].write(twin.Patch{Desired: twin.Object{"interval": number("61")}})
				}
				return lose(n == 1)
			}
		}, "1 changed", "desired.interval is 61 now, it was 60", nil, 1},
		"others keep changing it": {func(m *memory) {
			m.before = func(ref twin.Ref, n int) error {
				m.twins[ref].write(twin.Patch{Tags: twin.Object{"n": fmt.Sprint(n)}})
				return nil
			}
		}, "1 changed", "others keep changing the twin", nil, 0},
		"throttled": {func(m *memory) {
			m.before = func(_ twin.Ref, n int) error { return when(n < 4, twin.ErrThrottled) }
		}, "1 written", "", nil, 1},
		"out of reach for a while": {func(m *memory) {
			m.before = func(_ twin.Ref, n int) error { return when(n < 4, twin.ErrUnavailable) }
		}, "1 written", "", nil, 1},
		"out of reach": {func(m *memory) {
			m.before = func(twin.Ref, int) error { return twin.ErrUnavailable }
		}, "1 left", "", twin.ErrUnavailable, 0},
		"denied": {func(m *memory) {
			m.before = func(twin.Ref, int) error { return twin.ErrDenied }
		}, "1 left", "", twin.ErrDenied, 0},
		"refused": {func(m *memory) {
			m.before = func(twin.Ref, int) error { return errors.New("400 ArgumentInvalid") }
		}, "1 rejected", "400 ArgumentInvalid", nil, 0},
		"lost, and then it cannot be read": {func(m *memory) {
			m.after = func(twin.Ref, int) error { return errLost }
			m.reading = func(twin.Ref) error { return twin.ErrUnavailable }
		}, "1 in-doubt", "reading it again failed", nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, j := fleet(1), newNotebook()
				plan := evaluate(t, pack(t, setter), m, nil)
				c.arrange(m)
				r, err := engine.Apply(t.Context(), plan, m, j, nil)
				if !errors.Is(err, c.err) {
					t.Fatalf("got %v, want %v", err, c.err)
				}
				if got := summary(r); got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
				if len(r.Outcomes) > 0 && !strings.Contains(r.Outcomes[0].Detail, c.detail) {
					t.Errorf("got %q, want %q", r.Outcomes[0].Detail, c.detail)
				}
				if m.writes[device(0)] != c.writes {
					t.Errorf("%d writes, want %d", m.writes[device(0)], c.writes)
				}
			})
		})
	}
}

func lose(yes bool) error { return when(yes, errLost) }

func when(yes bool, err error) error {
	if yes {
		return err
	}
	return nil
}

func TestApplyRefusesObstacles(t *testing.T) {
	m := fleet(30)
	for name, body := range map[string]string{
		"a limit is exceeded":             "  - {id: r, limits: {maxTwins: 1}, patch: {tags: {x: 1}}}\n",
		"rules want different values for": "  - {id: a, patch: {tags: {x: 1}}}\n  - {id: b, patch: {tags: {x: 2}}}\n",
		"are known to be incomplete":      setter,
	} {
		plan := evaluate(t, pack(t, body), m, &engine.Options{Incomplete: strings.Contains(name, "incomplete")})
		if _, err := engine.Apply(t.Context(), plan, m, newNotebook(), nil); !errors.Is(err, engine.ErrNotApplicable) || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %s", err, name)
		}
	}
	if len(m.writes) > 0 {
		t.Error("something was written")
	}
}

func TestApplyGoesOnWhereItWas(t *testing.T) {
	m, j := fleet(100), newNotebook()
	plan := evaluate(t, pack(t, setter), m, nil)
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	m.after = func(twin.Ref, int) error {
		if n++; n == 40 {
			cancel()
		}
		return nil
	}
	r, err := engine.Apply(ctx, plan, m, j, &engine.ApplyOptions{Workers: 4})
	if !errors.Is(err, context.Canceled) || r.Left == 0 || len(r.Outcomes)+r.Left != 100 {
		t.Fatalf("%v, %s", err, summary(r))
	}
	r, err = engine.Apply(t.Context(), plan, m, j, nil)
	if err != nil || !r.Complete() || r.Count(engine.Written) != 100 {
		t.Fatalf("%v, %s", err, summary(r))
	}
	for ref, n := range m.writes {
		if n != 1 {
			t.Errorf("%s was written %d times", ref, n)
		}
	}
}

func TestAJournalThatFailsStopsBeforeTheWrite(t *testing.T) {
	m, j := fleet(10), newNotebook()
	plan := evaluate(t, pack(t, setter), m, nil)
	calls := 0
	j.fail = func() error {
		if calls++; calls > 5 {
			return errors.New("disk full")
		}
		return nil
	}
	r, err := engine.Apply(t.Context(), plan, m, j, &engine.ApplyOptions{Workers: 1})
	if err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Fatalf("got %v", err)
	}
	if got := len(m.writes); got != 3 || r.Left != 7 {
		t.Errorf("%d writes after 5 records, %s", got, summary(r))
	}
}

func TestMovedTwinsAreNamed(t *testing.T) {
	m := fleet(2)
	plan := evaluate(t, pack(t, setter), m, nil)
	s := m.twins[device(1)]
	s.reported, s.version = twin.Object{"pct": json.Number("99")}, s.version+1 // the etag stays
	r, err := engine.Apply(t.Context(), plan, m, newNotebook(), nil)
	if err != nil || r.Outcomes[0].Moved || !r.Outcomes[1].Moved {
		t.Errorf("%v, %+v", err, r.Outcomes)
	}
}

// TestStormOfThrottling applies 2,000 changes to a hub that takes 50 a second:
// nothing is dropped, and the workers back off together.
func TestStormOfThrottling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fleet(2000)
		second, taken, refused := time.Time{}, 0, 0
		m.before = func(twin.Ref, int) error {
			if now := time.Now().Truncate(time.Second); now != second {
				second, taken = now, 0
			}
			if taken++; taken > 50 {
				refused++
				return twin.ErrThrottled
			}
			return nil
		}
		plan := evaluate(t, pack(t, setter), m, nil)
		r, err := engine.Apply(t.Context(), plan, m, newNotebook(), &engine.ApplyOptions{Workers: 16})
		if err != nil || r.Count(engine.Written) != 2000 {
			t.Fatalf("%v, %s", err, summary(r))
		}
		if refused > 40*16 {
			t.Errorf("%d requests were refused: the workers do not wait for each other", refused)
		}
	})
}

// TestHistories applies plans through random faults, interference and kills,
// and holds every history to the promises: nothing is written twice, nothing
// that somebody else wrote is overwritten, and the journal tells the truth.
func TestHistories(t *testing.T) {
	histories := 1000
	switch {
	case testing.Short():
		histories = 50
	case watched:
		histories = 200 // three workers at a time; without it all are tried
	}
	p := pack(t, setter)
	for seed := range histories {
		synctest.Test(t, func(t *testing.T) { history(t, seed, func(m *memory) *engine.Plan { return evaluate(t, p, m, nil) }) })
	}
}

func history(t *testing.T, seed int, planOf func(*memory) *engine.Plan) {
	dice := rand.New(rand.NewPCG(uint64(seed), 7))
	m, j := fleet(12), newNotebook()
	plan := planOf(m)
	foreign := map[twin.Ref]bool{} // somebody else has set interval
	m.before = func(ref twin.Ref, _ int) error {
		switch dice.IntN(8) {
		case 0:
			return errLost
		case 1:
			return twin.ErrThrottled
		case 2:
			m.twins[ref].write(twin.Patch{Tags: twin.Object{"site": fmt.Sprint(dice.IntN(100))}})
		case 3:
			if dice.IntN(3) == 0 {
				m.twins[ref].write(twin.Patch{Desired: twin.Object{"interval": json.Number("1")}})
				foreign[ref] = true
			}
		}
		return nil
	}
	m.after = func(twin.Ref, int) error { return lose(dice.IntN(4) == 0) }
	m.reading = func(twin.Ref) error { return when(dice.IntN(4) == 0, twin.ErrUnavailable) }
	for range 20 {
		ctx, kill := context.WithCancel(t.Context())
		left := dice.IntN(10)
		r, err := engine.Apply(ctx, plan, m, j, &engine.ApplyOptions{Workers: 3, Grace: time.Second, Progress: func(engine.Outcome) {
			if left--; left == 0 {
				kill()
			}
		}})
		kill()
		if err == nil && r.Count(engine.InDoubt) == 0 {
			break
		}
	}
	for _, c := range changesIn(plan.Changes) {
		s := m.twins[c.Ref]
		value := s.desired["interval"]
		switch {
		case m.writes[c.Ref] > 1:
			t.Fatalf("seed %d: %s was written %d times", seed, c.Ref, m.writes[c.Ref])
		case foreign[c.Ref] && value != json.Number("1"):
			t.Fatalf("seed %d: somebody else's value in %s was overwritten with %v", seed, c.Ref, value)
		case j.Past(c.Ref).Status == engine.Written && m.writes[c.Ref] != 1, j.Past(c.Ref).Status == engine.Converged && !foreign[c.Ref] && value != json.Number("900"):
			t.Fatalf("seed %d: the journal says %s of %s, which has %v", seed, j.Past(c.Ref).Status, c.Ref, value)
		case j.Past(c.Ref).Status == engine.Changed && !foreign[c.Ref] && value == json.Number("900"):
			t.Fatalf("seed %d: %s was written, and the journal says that it was not", seed, c.Ref)
		}
	}
}

// A forgetful hub takes a configuration and loses the answer.
type forgetful struct{ *memory }

func (f forgetful) PutConfiguration(ctx context.Context, c *twin.Configuration, etag string) (*twin.Configuration, error) {
	if _, err := f.memory.PutConfiguration(ctx, c, etag); err != nil {
		return nil, err
	}
	return nil, errLost
}

func TestAConfigurationWhoseAnswerIsLostIsFound(t *testing.T) {
	m := fleet(3)
	p := pack(t, "  - {id: channel, patch: {desired: {channel: stable}}, configuration: {}}\n")
	plan := evaluate(t, p, m, nil)
	for _, want := range []string{"1 converged", "1 converged"} { // and again, as after a kill
		r, err := engine.Apply(t.Context(), plan, forgetful{m}, newNotebook(), nil)
		if got := summary(r); err != nil || got != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
	if again := evaluate(t, p, m, nil); len(again.Configurations) > 0 {
		t.Errorf("still to do: %+v", again.Configurations)
	}
}
