package emulator

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// Pipes stand for the network: who listens is found by address, in memory.
type pipes struct {
	mu        sync.Mutex
	listeners map[string]*pipeListener
}

func newPipes() *pipes { return &pipes{listeners: map[string]*pipeListener{}} }

// listen has the form of [net.Listen].
func (p *pipes) listen(_, addr string) (net.Listener, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := &pipeListener{address: pipeAddr(addr), come: make(chan net.Conn), closed: make(chan struct{})}
	p.listeners[addr] = l
	return l, nil
}

// dial has the form of [net.Dialer.DialContext].
func (p *pipes) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	p.mu.Lock()
	l := p.listeners[addr]
	p.mu.Unlock()
	if l == nil {
		return nil, fmt.Errorf("dial %s: an emulator in memory reaches only itself", addr)
	}
	near, far := net.Pipe()
	select {
	case l.come <- far:
		return near, nil
	case <-l.closed:
		return nil, fmt.Errorf("dial %s: %w", addr, net.ErrClosed)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A pipeListener accepts one end of a pipe for each that dials.
type pipeListener struct {
	address pipeAddr
	come    chan net.Conn
	once    sync.Once
	closed  chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.come:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return l.address }

// A pipeAddr is a name and a port that nobody else can reach.
type pipeAddr string

func (a pipeAddr) Network() string { return "pipe" }
func (a pipeAddr) String() string  { return string(a) }
