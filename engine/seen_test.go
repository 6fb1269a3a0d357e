package engine_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twinrules/twinrules/engine"
	"github.com/twinrules/twinrules/hub/twin"
	"github.com/twinrules/twinrules/rules"
)

// herd is a fleet that lives: each device is as its rules want it, or not, and
// speaks now and then.
type herd struct {
	*rand.Rand
	lines []string
}

func newHerd(seed uint64, n int) *herd {
	h := &herd{Rand: rand.New(rand.NewPCG(seed, 5))}
	for i := range n {
		h.lines = append(h.lines, "")
		h.change(i)
	}
	return h
}

// change writes a twin anew.
func (h *herd) change(i int) {
	module := ""
	if i%7 == 0 {
		module = fmt.Sprintf(`,"moduleId":"%s"`, []string{"agent", "other"}[i/7%2])
	}
	h.lines[i] = fmt.Sprintf(`{"deviceId":"d%d"%s,"etag":"e%d","connectionState":"Connected","lastActivityTime":"2026-11-20T11:%02d:00Z","version":%d,"tags":{"kind":"%c"},`+
		`"properties":{"desired":{"interval":%d},"reported":{"pct":%d,"noise":%d,"$metadata":{"pct":{"$lastUpdated":"2026-11-20T%02d:00:00Z"}}}}}`,
		i, module, h.IntN(1000), h.IntN(60), h.IntN(100), 'a'+h.IntN(3), 60+840*h.IntN(2), h.IntN(100), h.IntN(1000), h.IntN(12))
}

// speak changes what changes whenever a device speaks.
func (h *herd) speak(i int) {
	front, rest, _ := strings.Cut(h.lines[i], `,"connectionState"`)
	_, rest, _ = strings.Cut(rest, `,"version"`)
	h.lines[i] = fmt.Sprintf(`%s,"connectionState":"%s","lastActivityTime":"2026-11-20T11:%02d:%02dZ","version"%s`, front, []string{"Connected", "Disconnected"}[h.IntN(2)], h.IntN(60), h.IntN(60), rest)
}

// live lets the fleet live for a while.
func (h *herd) live(speaking, changing int) {
	for range speaking {
		h.speak(h.IntN(len(h.lines)))
	}
	for range changing {
		h.change(h.IntN(len(h.lines)))
	}
}

func (h *herd) source() recorder {
	src := recorder{each: 1 + h.IntN(50), query: func(t *twin.Twin) bool { return t.Tags()["kind"] == "a" || t.Ref.Module == "agent" }}
	for _, line := range h.lines {
		src.tape = append(src.tape, []byte(line))
	}
	return src
}

const kept = "  - {id: plain, selector: 'tags.kind == \"a\"', when: reported.pct < 20, patch: {desired: {interval: 900}}}\n" +
	"  - {id: audit, mode: audit, selector: 'tags.kind == \"a\"', when: reported.pct > 90, patch: {tags: {full: true}}}\n"

// packs are rules of every sort that a pass may remember.
var packs = map[string]string{
	"plain":    kept,
	"aged":     kept + "  - {id: old, selector: 'tags.kind == \"a\"', when: 'age(reported.pct) > duration(\"5h\") and reported.pct > 50', patch: {desired: {interval: 900}}}\n",
	"silent":   kept + "  - {id: old, selector: 'tags.kind == \"a\"', when: 'now - lastActivityTime > duration(\"70m\")', patch: {tags: {silent: true}}}\n",
	"failing":  kept + "  - {id: bad, selector: 'tags.kind == \"a\"', when: 'reported.pct > 80 and reported.pct contains \"x\"', patch: {desired: {y: 2}}}\n",
	"rivals":   kept + "  - {id: rival, selector: 'tags.kind == \"a\"', when: reported.pct < 5, patch: {desired: {interval: 60}}}\n",
	"leaving":  kept + "  - {id: state, selector: 'tags.kind == \"a\"', when: reported.pct < 30, patch: {desired: {interval: 900}}, onExit: remove}\n",
	"yielding": kept + "  - {id: state, selector: 'tags.kind == \"a\"', when: reported.pct < 30, patch: {desired: {interval: 900}}, onExit: remove}\n  - {id: wins, selector: 'tags.kind == \"a\"', when: reported.pct >= 20, patch: {desired: {interval: 900}}}\n",
	"nested":   kept + "  - {id: in, selector: 'tags.kind == \"a\"', when: reported.pct < 50, patch: {desired: {interval: {of: 1}}}}\n",
	"reread":   kept + "  - {id: second, selector: 'tags.kind == \"a\"', when: desired.interval == 900, patch: {desired: {slow: true}}}\n",
	"governed": kept,
	"modules":  kept + "  - {id: module, on: module/agent, when: reported.pct > 10, patch: {desired: {interval: 60}}}\n",
	"computed": kept + "  - {id: copy, selector: 'tags.kind == \"a\"', when: reported.pct > 70, patch: {desired: {interval: '${ reported.pct + 1 > 0 ? 60 : 1 }'}}}\n",
	"rollout":  kept + "  - {id: waves, selector: 'tags.kind == \"a\"', when: reported.pct < 50, patch: {desired: {interval: 60}}, rollout: {waves: [3, 100%], gate: {ok: reported.pct > 0}}}\n",
}

// TestWhatWasSeenMakesNoDifference is the law of Seen: a pass that looks at what
// earlier ones saw makes the plan that it would make without, byte for byte, while
// the fleet lives and time passes, whatever the workers and whoever lists it.
func TestWhatWasSeenMakesNoDifference(t *testing.T) {
	passes := 12
	if watched {
		passes = 4
	}
	for name, body := range packs {
		t.Run(name, func(t *testing.T) {
			p, h, seen := pack(t, body), newHerd(uint64(len(body)), 300), &engine.Seen{}
			at, most := noon, 0
			for pass := range passes {
				src := engine.Source(h.source())
				if name == "governed" {
					src = governed{h.source(), []*twin.Configuration{{ID: "other", TargetCondition: "connectionState = 'Connected' AND tags.kind = 'a'",
						Content: twin.Object{"deviceContent": twin.Object{"properties.desired.interval": 60}}}}}
				}
				if pass%4 == 3 {
					src = listed{src}
				}
				breadth := []rules.Breadth{rules.ReadSelected, rules.ReadAll}[h.IntN(2)]
				want := planAt(t, p, src, at, &engine.Options{Read: breadth})
				got := planAt(t, p, src, at, &engine.Options{Read: breadth, Seen: seen, Workers: 1 + h.IntN(3)})
				if !bytes.Equal(got, want) {
					t.Fatalf("pass %d: what was seen makes another plan\n%s\nnot\n%s", pass, planText(t, got), planText(t, want))
				}
				most, seen = max(most, seen.Len()), reread(t, seen)
				h.live(h.IntN(200), h.IntN(30))
				at = at.Add(time.Duration(h.IntN(90)) * time.Minute)
			}
			if name != "rollout" && most < 50 {
				t.Errorf("no more than %d twins were remembered", most)
			}
		})
	}
}

// reread returns what was seen as a file keeps it.
func reread(t *testing.T, s *engine.Seen) *engine.Seen {
	t.Helper()
	file := seenBytes(t, s)
	again, err := engine.ReadSeen(bytes.NewReader(file))
	if err != nil || !bytes.Equal(seenBytes(t, again), file) {
		t.Fatalf("%v, or it is written otherwise than it was", err)
	}
	return again
}

// planText shows a plan that stands in a file.
func planText(t *testing.T, file []byte) string {
	p, err := engine.ReadPlan(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%+v\n%+v\n%s%s", p.Header, p.Rules, lines(changesIn(p.Changes)), troubles(p))
}

// planAt is the file of a plan made at a moment.
func planAt(t testing.TB, p *rules.Program, src engine.Source, at time.Time, o *engine.Options) []byte {
	t.Helper()
	if o.Moment = moment(); !at.IsZero() {
		o.Moment.Now = at
	}
	plan, err := engine.Evaluate(context.Background(), p, src, o)
	if err != nil {
		t.Fatal(err)
	}
	return planBytes(t, plan)
}

// TestWhenWhatWasSeenIsBelieved: another pack, another hub, a clock that went back
// and whatever else decides about all twins alike make every twin be looked at.
func TestWhenWhatWasSeenIsBelieved(t *testing.T) {
	body := "  - {id: r, when: 'age(reported.pct) > duration(\"20h\")', patch: {desired: {slow: true}}}\n"
	configured := func(id, where string, content string) []*twin.Configuration {
		return []*twin.Configuration{{ID: id, TargetCondition: where, Content: twin.Object{"deviceContent": twin.Object{"properties.desired." + content: true}}}}
	}
	for name, c := range map[string]struct {
		at     time.Duration
		body   string
		change func(o *engine.Options)
		was    []*twin.Configuration // on the hub in the first pass
		live   []*twin.Configuration // and in the second
		speak  bool
		known  int
	}{
		"the same again":               {known: 100},
		"all have spoken":              {speak: true, known: 100},
		"later":                        {at: time.Hour, known: 100},
		"earlier":                      {at: -time.Second},
		"after all have woken":         {at: 21 * time.Hour},
		"another pack":                 {body: body + "\n"},
		"another program":              {change: func(o *engine.Options) { o.Tool = "2" }},
		"another hub":                  {change: func(o *engine.Options) { o.Moment.Hub = "fabrikam.azure-devices.net" }},
		"all rules only report":        {change: func(o *engine.Options) { o.Audit = true }},
		"more is read":                 {change: func(o *engine.Options) { o.Read = rules.ReadAll }, known: 100},
		"a configuration":              {live: configured("other", "tags.kind = 'a'", "slow")},
		"one that goes":                {was: configured("other", "tags.kind = 'z'", "slow")},
		"the same configuration":       {was: configured("other", "tags.kind = 'z'", "slow"), live: configured("other", "tags.kind = 'z'", "slow"), known: 100},
		"it aims at others":            {was: configured("other", "tags.kind = 'z'", "slow"), live: configured("other", "tags.kind = 'y'", "slow")},
		"it writes more":               {was: configured("other", "tags.kind = 'z'", "slow"), live: configured("other", "tags.kind = 'z'", "slow.er")},
		"one of something else":        {live: configured("other", "tags.kind = 'a'", "fan"), known: 100},
		"a clock before all computers": {change: func(o *engine.Options) { o.Moment.Now = time.Time{} }},
		"a clock after all of them":    {change: func(o *engine.Options) { o.Moment.Now = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) }},
	} {
		t.Run(name, func(t *testing.T) {
			h, seen, p := newHerd(1, 100), &engine.Seen{}, pack(t, body)
			o := &engine.Options{Seen: seen, Tool: "1", Moment: moment()}
			if _, err := engine.Evaluate(t.Context(), p, governed{h.source(), c.was}, o); err != nil || seen.Len() != 100 || seen.Known() != 0 {
				t.Fatalf("%v, %d twins are remembered, %d were known", err, seen.Len(), seen.Known())
			}
			o.Moment.Now = o.Moment.Now.Add(c.at)
			if c.body != "" {
				p = pack(t, c.body)
			}
			if c.change != nil {
				c.change(o)
			}
			for i := range h.lines {
				if c.speak {
					h.speak(i)
				}
			}
			if _, err := engine.Evaluate(t.Context(), p, governed{h.source(), c.live}, o); err != nil || seen.Known() != c.known {
				t.Errorf("%v, %d twins were known, want %d", err, seen.Known(), c.known)
			}
		})
	}
}

// TestWhoMayWakeAtOnceIsNotRemembered: rules that read now in ways that nobody
// foresees, and plugins that look at the clock, are asked in every pass about those whom they may concern.
func TestWhoMayWakeAtOnceIsNotRemembered(t *testing.T) {
	h := newHerd(1, 100)
	devices, selected := 0, 0
	for i, line := range h.lines {
		if i%7 != 0 {
			devices++
			selected += strings.Count(line, `"kind":"a"`)
		}
	}
	judged := "  - {id: r, selector: 'tags.kind == \"a\"', plugin: {use: judge}, patch: {desired: {slow: true}}}\n"
	for name, c := range map[string]struct {
		body string
		want int
		use  plugged
	}{
		"a plugin":         {judged, len(h.lines), plugged{"reported.pct"}},
		"one with a clock": {judged, len(h.lines) - selected, plugged{"now", "reported.pct"}},
		"an odd age":       {"  - {id: r, selector: 'tags.kind == \"a\"', when: 'age(reported.pct) == duration(\"20h\")', patch: {desired: {slow: true}}}\n", len(h.lines) - selected, nil},
		"an age":           {"  - {id: r, selector: 'tags.kind == \"a\"', when: 'age(reported.pct) > duration(\"20h\")', patch: {desired: {slow: true}}}\n", len(h.lines), nil},
		"for all devices":  {"  - {id: r, when: 'age(reported.pct) == duration(\"20h\")', patch: {desired: {slow: true}}}\n", len(h.lines) - devices, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p, seen := packOf(t, "plugins: {judge: {source: j.wasm, digest: \"sha256:"+strings.Repeat("0", 64)+"\"}}\n", c.body, c.use), &engine.Seen{}
			if planAt(t, p, h.source(), noon, &engine.Options{Seen: seen}); seen.Len() != c.want {
				t.Errorf("%d twins are remembered, want %d", seen.Len(), c.want)
			}
		})
	}
}

// plugged is a plugin that matches nobody and declares reads.
type plugged []string

func (p plugged) Instance(context.Context, *rules.Rule, twin.Object) (rules.Plugin, error) {
	return p, nil
}
func (plugged) Eval(context.Context, *twin.Twin, time.Time) (*rules.Finding, int64, error) {
	return nil, 0, nil
}
func (p plugged) Reads() []string { return p }
func (plugged) Writes() []string  { return nil }

// governed is a fleet with configurations.
type governed struct {
	recorder
	list []*twin.Configuration
}

func (g governed) Configurations(context.Context) iter.Seq2[*twin.Configuration, error] {
	return func(yield func(*twin.Configuration, error) bool) {
		for _, c := range g.list {
			if !yield(c, nil) {
				return
			}
		}
	}
}

// TestAFailedPassTeachesNothing: what was seen stays as it was.
func TestAFailedPassTeachesNothing(t *testing.T) {
	h, seen, p := newHerd(1, 100), &engine.Seen{}, pack(t, kept)
	planAt(t, p, h.source(), noon, &engine.Options{Seen: seen})
	before := seenBytes(t, seen)
	h.lines[70] = "{"
	for _, src := range []engine.Source{h.source(), listed{h.source()}} {
		if _, err := engine.Evaluate(t.Context(), p, src, &engine.Options{Seen: seen, Moment: moment()}); err == nil {
			t.Error("a torn fleet is read")
		}
		if !bytes.Equal(before, seenBytes(t, seen)) {
			t.Error("what was seen has changed")
		}
	}
}

// TestATwinTwiceIsFound also where only one of the two was seen before, or both.
func TestATwinTwiceIsFound(t *testing.T) {
	p := pack(t, kept)
	for _, line := range []int{3, 4, 7} {
		for _, noise := range []string{`"noise":`, `"noise":1`} {
			h, seen := newHerd(1, 100), &engine.Seen{}
			planAt(t, p, h.source(), noon, &engine.Options{Seen: seen, Read: rules.ReadAll})
			h.lines = append(h.lines, strings.Replace(h.lines[line], `"noise":`, noise, 1))
			want := planAt(t, p, listed{h.source()}, noon, &engine.Options{Read: rules.ReadAll})
			if got := planAt(t, p, h.source(), noon, &engine.Options{Seen: seen, Read: rules.ReadAll}); !bytes.Equal(got, want) {
				t.Errorf("another plan\n%s\nnot\n%s", planText(t, got), planText(t, want))
			}
		}
	}
}

// TestVolatileMembers is what of a line may change while the twin is still known.
func TestVolatileMembers(t *testing.T) {
	const line = `{"deviceId":"d","connectionState":"Connected","lastActivityTime":"2026-11-20T11:00:00Z","x":"lastActivityTime","version":1,"tags":{"lastActivityTime":"a","connectionState":"b"},"status":"enabled"}`
	reading := func(when string) string { return "  - {id: r, when: '" + when + "', patch: {desired: {x: 1}}}\n" }
	for name, c := range map[string]struct {
		when, from, to string
		known          int
	}{
		"nothing":                         {`tags.x == 1`, ``, ``, 1},
		"the last word":                   {`tags.x == 1`, `T11:00:00Z`, `T11:00:01.5000000Z`, 1},
		"the last word, which is read":    {`lastActivityTime == nil`, `T11:00:00Z`, `T11:00:01Z`, 0},
		"a state":                         {`tags.x == 1`, `"Connected"`, `"Disconnected"`, 1},
		"a state that is read":            {`connectionState == "x"`, `"Connected"`, `"Disconnected"`, 0},
		"a state while a time is read":    {`lastActivityTime == nil`, `"Connected"`, `"Disconnected"`, 1},
		"a tag of that name":              {`tags.x == 1`, `"lastActivityTime":"a"`, `"lastActivityTime":"c"`, 0},
		"a tag that is read":              {`tags.connectionState == "x"`, `"connectionState":"b"`, `"connectionState":"x"`, 0},
		"a state that is no text":         {`tags.x == 1`, `"Connected"`, `null`, 0},
		"a state with odd letters":        {`tags.x == 1`, `"Connected"`, `"Conn\u0065cted"`, 0},
		"a text that looks like a member": {`tags.x == 1`, `"x":"lastActivityTime"`, `"x":",\"lastActivityTime\":\"a"`, 0},
		"the version":                     {`tags.x == 1`, `"version":1`, `"version":2`, 0},
		"a member that is none any more":  {`tags.x == 1`, `,"lastActivityTime":"2026-11-20T11:00:00Z"`, ``, 0},
		"a tag, and there is no member":   {`tags.connectionState == "x"`, `"connectionState":"b"`, `"connectionState":"x"`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			line := line
			if strings.Contains(name, "no member") {
				line = strings.Replace(line, `"connectionState":"Connected",`, ``, 1)
			}
			p, seen := pack(t, reading(c.when)), &engine.Seen{}
			src := recorder{each: 1, tape: tape{[]byte(line)}, query: func(*twin.Twin) bool { return true }}
			planAt(t, p, src, noon, &engine.Options{Seen: seen})
			src.tape = tape{[]byte(strings.Replace(line, c.from, c.to, 1))}
			want := planAt(t, p, src, noon, &engine.Options{})
			if got := planAt(t, p, src, noon, &engine.Options{Seen: seen}); !bytes.Equal(got, want) || seen.Known() != c.known {
				t.Errorf("the same plan %v, known %d, want %d", bytes.Equal(got, want), seen.Known(), c.known)
			}
		})
	}
}

func seenBytes(t testing.TB, s *engine.Seen) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := engine.WriteSeen(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// FuzzReadSeen: whatever a file says, it is refused, or it is what would be written.
func FuzzReadSeen(f *testing.F) {
	h, seen := newHerd(1, 20), &engine.Seen{}
	f.Add(seenBytes(f, seen))
	p := pack(f, packs["aged"])
	planAt(f, p, h.source(), noon, &engine.Options{Seen: seen})
	file := seenBytes(f, seen)
	f.Add(file)
	const outcomes = len("twinrules/seen/v1\n") + 32 + 4*8
	for _, bits := range []byte{1, 8, 0xff} { // of rules that there are not, or that match and do not select
		for i := range 16 {
			odd := bytes.Clone(file)
			odd[outcomes+i] = bits
			f.Add(odd)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		seen, err := engine.ReadSeen(bytes.NewReader(summed(data)))
		if err != nil {
			return
		}
		if !bytes.Equal(seenBytes(t, seen), summed(data)) {
			t.Error("it is written otherwise")
		}
		planAt(t, p, h.source(), noon, &engine.Options{Seen: seen}) // whatever it says, nothing breaks
	})
}

// summed puts the sum at the end of a file right.
func summed(data []byte) []byte {
	if len(data) < sha256.Size {
		return data
	}
	body := bytes.Clone(data[:len(data)-sha256.Size])
	sum := sha256.Sum256(body)
	return append(body, sum[:]...)
}

// TestDamagedSeen: a file that is torn or altered anywhere is refused.
func TestDamagedSeen(t *testing.T) {
	seen := &engine.Seen{}
	planAt(t, pack(t, packs["aged"]), newHerd(1, 20).source(), noon, &engine.Options{Seen: seen})
	file := seenBytes(t, seen)
	for i := range file {
		altered := bytes.Clone(file)
		altered[i] ^= 1
		for what, data := range map[string][]byte{"torn": file[:i], "altered": altered} {
			if _, err := engine.ReadSeen(bytes.NewReader(data)); err == nil {
				t.Errorf("it is read although it is %s at byte %d", what, i)
			}
		}
	}
	if _, err := engine.ReadSeen(bytes.NewReader(append(file, 0))); err == nil {
		t.Error("it is read although something stands behind it")
	}
	swapped := bytes.Clone(file)
	last := swapped[len(file)-32-24 : len(file)-32]
	before := swapped[len(file)-32-48 : len(file)-32-24]
	row := bytes.Clone(last)
	copy(last, before)
	if _, err := engine.ReadSeen(bytes.NewReader(summed(swapped))); err == nil {
		t.Error("it is read although a row stands there twice")
	}
	copy(before, row)
	if _, err := engine.ReadSeen(bytes.NewReader(summed(swapped))); err == nil {
		t.Error("it is read although rows are not in order")
	}
	const outcomes = len("twinrules/seen/v1\n") + 32 + 8 + 8 // where it says how many there are
	for name, at := range map[string]int{"outcomes": outcomes, "their size": outcomes + 8, "rows": len(file) - 32 - seen.Len()*24 - 8, "an outcome's number": len(file) - 32 - 2} {
		altered := bytes.Clone(file)
		altered[at+1] = 0x7f
		if _, err := engine.ReadSeen(bytes.NewReader(summed(altered))); err == nil {
			t.Errorf("it is read with too many %s", name)
		}
	}
}

// TestSeenDoesNotDependOnWorkers: the same fleet makes the same file.
func TestSeenDoesNotDependOnWorkers(t *testing.T) {
	p, h := pack(t, packs["aged"]), newHerd(1, 500)
	var want []byte
	for _, workers := range []int{1, 2, 7} {
		seen := &engine.Seen{}
		planAt(t, p, h.source(), noon, &engine.Options{Seen: seen, Workers: workers})
		if got := seenBytes(t, seen); want != nil && !bytes.Equal(got, want) {
			t.Errorf("%d workers write another file", workers)
		} else {
			want = got
		}
	}
}

// A reel is a fleet in blocks that lie ready.
type reel struct {
	tape
	blocks [][]byte
}

func (r reel) Blocks(context.Context) iter.Seq2[engine.Block, error] {
	return func(yield func(engine.Block, error) bool) {
		for _, text := range r.blocks {
			if !yield(lying{block{text: text}}, nil) {
				return
			}
		}
	}
}

// lying is a block that is read again.
type lying struct{ block }

func (lying) Release() {}

// BenchmarkSeen plans 20,000 twins of 3 KB by 10 rules, of which none changes
// anything, without looking at what was seen before and with it, where nothing and
// where one twin in a hundred has changed and all have spoken since.
func BenchmarkSeen(b *testing.B) {
	data, err := os.ReadFile("../hub/twin/testdata/reefer.json")
	if err != nil {
		b.Fatal(err)
	}
	for _, count := range []int{10, 200} {
		var body strings.Builder
		for i := range count {
			fmt.Fprintf(&body, "  - {id: r%d, selector: 'tags.kind == \"reefer\"', when: 'reported.battery.pct < %d and tags.site in [\"muc\", \"ber\"] or reported.network.rssi > %d', patch: {desired: {x%d: 1}}}\n", i, i%60, i-60, i%20)
		}
		p := pack(b, body.String())
		fleet := func(changed int, minute string) (src reel) {
			text := strings.Replace(strings.TrimSpace(string(data)), "T07:21:17", "T07:"+minute+":17", 1)
			var part []byte
			for i := range 20_000 {
				line := strings.Replace(text, "reefer-0204", fmt.Sprint("reefer-", 10_000+i), 1)
				if changed > 0 && i%changed == 0 {
					line = strings.Replace(line, `"pct":61`, `"pct":62`, 1)
				}
				if part = append(append(part, line...), '\n'); i%100 == 99 {
					src.blocks, part = append(src.blocks, part), nil
				}
			}
			return src
		}
		pass := func(b *testing.B, src reel, seen *engine.Seen) {
			plan, err := engine.Evaluate(context.Background(), p, src, &engine.Options{Workers: 1, Moment: moment(), Seen: seen})
			if err != nil || plan.Changes.Len() > 0 {
				b.Fatal(err, "or something is to be done")
			}
		}
		before := fleet(0, "21")
		for _, c := range []struct {
			name string
			src  reel
			seen bool
		}{{"without", before, false}, {"first", before, true}, {"unchanged", before, true}, {"all spoke", fleet(0, "22"), true}, {"1% changed", fleet(100, "22"), true}} {
			b.Run(fmt.Sprintf("%d rules/%s", count, c.name), func(b *testing.B) {
				var known bytes.Buffer
				if seen := (&engine.Seen{}); c.seen {
					if c.name != "first" {
						pass(b, before, seen)
					}
					if err := engine.WriteSeen(&known, seen); err != nil {
						b.Fatal(err)
					}
				}
				for b.Loop() {
					b.StopTimer()
					var seen *engine.Seen
					if c.seen {
						if seen, err = engine.ReadSeen(bytes.NewReader(known.Bytes())); err != nil {
							b.Fatal(err)
						}
					}
					b.StartTimer()
					pass(b, c.src, seen)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/20_000, "ns/twin")
			})
		}
	}
}
