package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// A progress shows how far long work has come: a bar on a terminal, elsewhere a
// line every 10 seconds.
type progress struct {
	what  string
	total int // 0 when it is not known
	bars  *mpb.Progress
	bar   *mpb.Bar

	mu   sync.Mutex
	out  io.Writer
	now  func() time.Time
	last time.Time
}

// startProgress begins to show work on total things, 0 when their number is not
// known. The caller ends it.
func (e *environment) startProgress(what string, total int) *progress {
	p := &progress{what: what, total: total, out: e.stderr, now: e.now, last: e.now()}
	if !e.stderrTerminal {
		return p
	}
	p.bars = mpb.New(mpb.WithOutput(e.stderr), mpb.WithWidth(40))
	if total == 0 {
		p.bar = p.bars.New(0, mpb.SpinnerStyle().PositionLeft(), mpb.BarWidth(1), mpb.AppendDecorators(decor.CurrentNoUnit("%d "+what)), mpb.BarRemoveOnComplete())
		return p
	}
	p.bar = p.bars.AddBar(int64(total),
		mpb.PrependDecorators(decor.Name(what+" "), decor.CountersNoUnit("%d of %d")),
		mpb.AppendDecorators(decor.OnComplete(decor.AverageETA(decor.ET_STYLE_GO), "")),
		mpb.BarRemoveOnComplete())
	return p
}

// set says that n are done.
func (p *progress) set(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		p.bar.SetCurrent(int64(n))
		return
	}
	if now := p.now(); now.Sub(p.last) >= 10*time.Second {
		p.last = now
		if p.total > 0 {
			fmt.Fprintf(p.out, "twinrules: %s %d of %d\n", p.what, n, p.total)
		} else {
			fmt.Fprintf(p.out, "twinrules: %s %d\n", p.what, n)
		}
	}
}

// end takes the bar away.
func (p *progress) end() {
	if p.bars == nil {
		return
	}
	p.bar.Abort(true)
	p.bars.Wait()
}
