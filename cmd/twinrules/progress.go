package main

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// A progress shows how far long work has come: a bar on a terminal, elsewhere a
// line every 10 seconds, also when nothing has come since the last.
type progress struct {
	what  string
	total int // 0 when it is not known
	bars  *mpb.Progress
	bar   *mpb.Bar
	hide  func() // lets go of the terminal

	done           atomic.Int64
	ended, stopped chan struct{} // of the lines; nil on a terminal
}

// startProgress begins to show work on total things, 0 when their number is not
// known. The caller ends it.
func (e *environment) startProgress(what string, total int) *progress {
	p := &progress{what: what, total: total}
	if !e.stderrTerminal {
		p.ended, p.stopped = make(chan struct{}), make(chan struct{})
		go p.tell(e.note)
		return p
	}
	p.bars = mpb.New(mpb.WithOutput(e.stderr), mpb.WithWidth(40))
	e.bars.Store(p.bars)
	p.hide = func() { e.bars.Store(nil) }
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

// tell notes every 10 seconds how much is done, until the end.
func (p *progress) tell(note func(string)) {
	defer close(p.stopped)
	ticker := time.NewTicker(10 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-p.ended:
			return
		case <-ticker.C:
			note(p.line())
		}
	}
}

func (p *progress) line() string {
	if p.total > 0 {
		return fmt.Sprintf("%s %d of %d", p.what, p.done.Load(), p.total)
	}
	return fmt.Sprintf("%s %d", p.what, p.done.Load())
}

// set says that n are done.
func (p *progress) set(n int) {
	p.done.Store(int64(n))
	if p.bar != nil {
		p.bar.SetCurrent(int64(n))
	}
}

// end takes the bar away, or ends the lines.
func (p *progress) end() {
	if p.bars == nil {
		close(p.ended)
		<-p.stopped
		return
	}
	p.hide()
	p.bar.Abort(true)
	p.bars.Wait()
}
