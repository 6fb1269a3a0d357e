package emulator

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// A server is one listening port.
type server struct {
	http     *http.Server
	listener net.Listener
	serving  sync.WaitGroup
}

// writeTimeout bounds how long a client may take to read an answer.
const writeTimeout = time.Minute

// An opener has the form of [net.Listen].
type opener func(network, addr string) (net.Listener, error)

// listen opens addr. It offers HTTP/1.1 alone, as the hub's reference says. A
// request may wait for backlog before it is answered.
func (open opener) listen(addr string, cert tls.Certificate, h http.Handler, backlog time.Duration) (*server, error) {
	plain, err := open("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
	}
	return &server{listener: tls.NewListener(plain, config), http: &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      writeTimeout + backlog,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		// Clients that do not trust the CA are no news.
		ErrorLog: log.New(io.Discard, "", 0),
	}}, nil
}

func (s *server) addr() string { return s.listener.Addr().String() }

// serve begins to answer.
func (s *server) serve() {
	s.serving.Go(func() { _ = s.http.Serve(s.listener) }) // ends with ErrServerClosed
}

// close drops every connection and waits until nobody accepts any more.
func (s *server) close() error {
	err := s.http.Close()
	// A server that was never served does not know its listener.
	if err2 := s.listener.Close(); err2 != nil && !errors.Is(err2, net.ErrClosed) {
		err = errors.Join(err, err2)
	}
	s.serving.Wait()
	return err
}
