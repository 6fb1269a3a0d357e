package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/query"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// A memory is a small hub: a map of twins with etags and versions that move as
// the hub's do. Before and after each write a test may interfere.
type memory struct {
	mu             sync.Mutex
	twins          map[twin.Ref]*stored
	order          []twin.Ref // in which they are listed
	configurations []*twin.Configuration
	writes         map[twin.Ref]int // that were taken

	before, after func(ref twin.Ref, n int) error // n counts requests to write ref, from 1
	reading       func(ref twin.Ref) error
	requests      map[twin.Ref]int
}

type stored struct {
	tags, desired, reported    twin.Object
	identity                   string // etag of the registration
	etag, version, dv, created int
}

func newMemory() *memory {
	return &memory{twins: map[twin.Ref]*stored{}, writes: map[twin.Ref]int{}, requests: map[twin.Ref]int{}}
}

func (m *memory) add(ref twin.Ref, tags, desired, reported twin.Object) {
	m.twins[ref] = &stored{tags: tags, desired: desired, reported: reported, etag: 1, version: 2, dv: 1}
	m.order = append(m.order, ref)
}

func (s *stored) twin(ref twin.Ref) *twin.Twin {
	desired := twin.Merge(s.desired, twin.Object{"$version": json.Number(strconv.Itoa(s.dv))})
	doc := twin.Object{
		"deviceId": ref.Device, "etag": fmt.Sprint("E", s.etag), "version": json.Number(strconv.Itoa(s.version)), "tags": s.tags,
		"properties": twin.Object{"desired": desired, "reported": s.reported},
	}
	if ref.Module != "" {
		doc["moduleId"] = ref.Module
	}
	if s.identity != "" {
		doc["deviceEtag"] = s.identity
	}
	t, err := twin.Parse(twin.Encode(doc))
	if err != nil {
		panic(err)
	}
	return t
}

func (m *memory) Twins(_ context.Context, text string) iter.Seq2[*twin.Twin, error] {
	return func(yield func(*twin.Twin, error) bool) {
		q, err := query.Parse(text)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, ref := range m.order {
			if t := m.twins[ref].twin(ref); q.Matches(t) && !yield(t, nil) {
				return
			}
		}
	}
}

func (m *memory) Configurations(context.Context) iter.Seq2[*twin.Configuration, error] {
	return func(yield func(*twin.Configuration, error) bool) {
		for _, c := range m.configurations {
			if !yield(c, nil) {
				return
			}
		}
	}
}

func (m *memory) Twin(_ context.Context, ref twin.Ref) (*twin.Twin, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.reading != nil {
		if err := m.reading(ref); err != nil {
			return nil, err
		}
	}
	if m.twins[ref] == nil {
		return nil, fmt.Errorf("get twin %s: %w", ref, twin.ErrNotFound)
	}
	return m.twins[ref].twin(ref), nil
}

func (m *memory) PatchTwin(_ context.Context, ref twin.Ref, p twin.Patch, etag string) (*twin.Twin, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests[ref]++
	if m.before != nil {
		if err := m.before(ref, m.requests[ref]); err != nil {
			return nil, err
		}
	}
	s := m.twins[ref]
	switch {
	case s == nil:
		return nil, fmt.Errorf("patch twin %s: %w", ref, twin.ErrNotFound)
	case etag != fmt.Sprint("E", s.etag):
		return nil, fmt.Errorf("patch twin %s: %w", ref, twin.ErrChanged)
	}
	s.write(p)
	m.writes[ref]++
	if m.after != nil {
		if err := m.after(ref, m.requests[ref]); err != nil {
			return nil, err
		}
	}
	return s.twin(ref), nil
}

func (s *stored) write(p twin.Patch) {
	s.tags, s.desired = twin.Merge(s.tags, p.Tags), twin.Merge(s.desired, p.Desired)
	s.etag++
	s.version++
	if len(p.Desired) > 0 {
		s.dv++
	}
}

func (m *memory) PutConfiguration(_ context.Context, c *twin.Configuration, etag string) (*twin.Configuration, error) {
	i := slices.IndexFunc(m.configurations, func(o *twin.Configuration) bool { return o.ID == c.ID })
	sent := *c
	sent.ETag = "M" + etag
	switch {
	case i < 0 && etag == "":
		m.configurations = append(m.configurations, &sent)
	case i < 0:
		return nil, twin.ErrNotFound
	case m.configurations[i].ETag != etag:
		return nil, twin.ErrChanged
	default:
		m.configurations[i] = &sent
	}
	return &sent, nil
}

func (m *memory) DeleteConfiguration(_ context.Context, id, etag string) error {
	i := slices.IndexFunc(m.configurations, func(o *twin.Configuration) bool { return o.ID == id && o.ETag == etag })
	if i < 0 {
		return twin.ErrChanged
	}
	m.configurations = slices.Delete(m.configurations, i, i+1)
	return nil
}

// A notebook is a journal in memory.
type notebook struct {
	mu   sync.Mutex
	past map[twin.Ref]engine.Outcome
	fail func() error
}

func newNotebook() *notebook { return &notebook{past: map[twin.Ref]engine.Outcome{}} }

func (n *notebook) note(o engine.Outcome) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fail != nil {
		if err := n.fail(); err != nil {
			return err
		}
	}
	n.past[o.Ref] = o
	return nil
}

func (n *notebook) Intend(ref twin.Ref) error {
	return n.note(engine.Outcome{Ref: ref, Status: engine.InDoubt})
}
func (n *notebook) Record(o engine.Outcome) error { return n.note(o) }
func (n *notebook) Past(ref twin.Ref) engine.Outcome {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.past[ref]
}

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func moment() rules.Moment { return rules.Moment{Now: noon, Hub: "contoso.azure-devices.net"} }

// pack compiles the rules whose text below "rules:" is given, with limits that
// do not stand in the way.
func pack(t testing.TB, body string) *rules.Program {
	t.Helper()
	return packWith(t, "limits: {maxTwins: 100000, maxPercent: 100}\ndefaults: {limits: {maxTwins: 100000, maxPercent: 100}}\n", body)
}

func packWith(t testing.TB, head, body string) *rules.Program {
	t.Helper()
	return packOf(t, head, body, nil)
}

func packOf(t testing.TB, head, body string, plugins rules.Plugins) *rules.Program {
	t.Helper()
	text := "apiVersion: twinrules/v1\nkind: RulePack\nmetadata: {name: p}\n" + head + "rules:\n" + body
	p, err := rules.Load(fstest.MapFS{"pack.yaml": {Data: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	program, err := rules.Compile(context.Background(), p, &rules.Options{Plugins: plugins})
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// fleet returns a memory with n devices: every third is a "b", batteries differ.
func fleet(n int) *memory {
	m := newMemory()
	for i := range n {
		kind := "a"
		if i%3 == 2 {
			kind = "b"
		}
		m.add(twin.Ref{Device: fmt.Sprintf("d%04d", i)}, twin.Object{"kind": kind},
			twin.Object{"interval": json.Number("60")}, twin.Object{"pct": json.Number(strconv.Itoa(i * 7 % 100))})
	}
	return m
}

func evaluate(t testing.TB, p *rules.Program, src engine.Source, o *engine.Options) *engine.Plan {
	t.Helper()
	if o == nil {
		o = &engine.Options{}
	}
	o.Moment = moment()
	plan, err := engine.Evaluate(context.Background(), p, src, o)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// lines shows a plan's changes, one edit a line.
func lines(list []engine.Change) string {
	var b strings.Builder
	for _, c := range list {
		for _, e := range c.Edits {
			fmt.Fprintf(&b, "%s %s %s → %s %s\n", c.Ref.Device, e.Name(), twin.Encode(e.Before), twin.Encode(e.After), strings.Join(e.Rules, ","))
		}
	}
	return b.String()
}

var errLost = errors.Join(twin.ErrMaybeApplied, errors.New("connection reset"))

// changesIn returns changes that are in memory.
func changesIn(c engine.Changes) (list []engine.Change) {
	for change, err := range c.All() {
		if err != nil {
			panic(err)
		}
		list = append(list, change)
	}
	return list
}

// digest returns that of a plan whose changes are in memory.
func digest(p *engine.Plan) string {
	d, err := p.Digest()
	if err != nil {
		panic(err)
	}
	return d
}
