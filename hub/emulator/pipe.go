package emulator

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
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
	near, far := newPipe(l.address)
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

// A pipeEnd is one end of a connection in memory. Unlike those of [net.Pipe] it
// buffers, as a network does: both ends of TLS say goodbye at once.
type pipeEnd struct {
	address pipeAddr
	in, out *stream
}

func newPipe(address pipeAddr) (a, b net.Conn) {
	there, back := newStream(), newStream()
	return &pipeEnd{address, back, there}, &pipeEnd{address, there, back}
}

func (p *pipeEnd) Read(b []byte) (int, error)        { return p.in.read(b) }
func (p *pipeEnd) Write(b []byte) (int, error)       { return p.out.write(b) }
func (p *pipeEnd) LocalAddr() net.Addr               { return p.address }
func (p *pipeEnd) RemoteAddr() net.Addr              { return p.address }
func (p *pipeEnd) SetDeadline(t time.Time) error     { return p.SetReadDeadline(t) }
func (p *pipeEnd) SetWriteDeadline(time.Time) error  { return nil } // writing does not wait
func (p *pipeEnd) SetReadDeadline(t time.Time) error { p.in.expire(t); return nil }

// Close ends both directions; the other end can still read what is on its way.
func (p *pipeEnd) Close() error {
	p.out.end()
	p.in.end()
	p.in.expire(time.Time{})
	return nil
}

// A stream is one direction of a connection.
type stream struct {
	mu       sync.Mutex
	data     []byte
	ended    bool
	deadline time.Time
	timer    *time.Timer   // tells when it has come
	wake     chan struct{} // closed when something has changed
}

func newStream() *stream { return &stream{wake: make(chan struct{})} }

func (s *stream) read(b []byte) (int, error) {
	for {
		n, wake, err := s.take(b)
		if n > 0 || err != nil || len(b) == 0 {
			return n, err
		}
		<-wake
	}
}

// take moves what there is into b, or returns what to wait for.
func (s *stream) take(b []byte) (n int, wake <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.deadline.IsZero() && !time.Now().Before(s.deadline):
		return 0, nil, os.ErrDeadlineExceeded
	case len(s.data) > 0:
		n = copy(b, s.data)
		s.data = s.data[n:]
	case s.ended:
		return 0, nil, io.EOF
	}
	return n, s.wake, nil
}

func (s *stream) write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return 0, io.ErrClosedPipe
	}
	s.data = append(s.data, b...)
	s.tell()
	return len(b), nil
}

func (s *stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.tell()
}

// expire lets reading fail from t on; the zero time is never.
func (s *stream) expire(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = t
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	if !t.IsZero() {
		s.timer = time.AfterFunc(time.Until(t), func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.tell()
		})
	}
	s.tell()
}

// tell wakes those who wait. The caller holds the lock.
func (s *stream) tell() {
	close(s.wake)
	s.wake = make(chan struct{})
}
