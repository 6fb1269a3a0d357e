package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/twinrules/twinrules/engine"
)

func newServe(env *environment) *cobra.Command {
	var (
		source  sourceFlags
		state   stateFlags
		how     planFlags
		workers int
		listen  string
	)
	cmd := &cobra.Command{
		Use:   "serve PACK...",
		Short: "Run packs on their schedules, with health and metrics",
		Long: `serve holds the hub's lock and runs each pack when its schedule says so, never two at once. Missed times
are counted, not made up for. Outside the window of a pack's schedule a pass plans and writes nothing. /healthz and /metrics are on --listen. The first signal ends it after the
pass that is under way has settled.`,
		Example: "  twinrules serve rules/ --hub contoso.azure-devices.net --credential managed-identity",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if source.snapshot != "" {
				return usagef("a snapshot cannot be changed: give --hub HOST or --demo")
			}
			env.log = slog.New(slog.NewJSONHandler(env.stderr, nil))
			s := &service{env: env, state: &state, how: how, workers: workers, log: env.log, metrics: newMetrics()}
			return s.run(cmd.Context(), args, &source, listen)
		},
	}
	source.add(cmd)
	state.add(cmd)
	how.add(cmd)
	how.addRead(cmd)
	cmd.Flags().IntVar(&workers, "writes", writesAtOnce, "writes at once")
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:9464", "address of /healthz and /metrics")
	return cmd
}

// A service is a running serve.
type service struct {
	env     *environment
	state   *stateFlags
	how     planFlags
	workers int
	log     *slog.Logger
	metrics *metrics
	fleet   *fleet
	jobs    []*job
	writing sync.Mutex // held by the pass that runs
}

// A job is one pack with its clock.
type job struct {
	program *compiled
	clock   *engine.Clock
}

// run serves until ctx ends.
func (s *service) run(ctx context.Context, paths []string, source *sourceFlags, listen string) error {
	for _, path := range paths {
		j, err := newJob(ctx, path)
		if err != nil {
			return err
		}
		defer j.program.Close(context.WithoutCancel(ctx))
		s.jobs = append(s.jobs, j)
	}
	var err error
	if s.fleet, err = source.open(ctx, s.env, s.state); err != nil {
		return err
	}
	defer s.fleet.Close()
	lock, err := s.state.lock(s.env, s.fleet.hub)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	stop, err := s.listen(listen)
	if err != nil {
		return err
	}
	defer stop()
	var wg sync.WaitGroup
	for _, j := range s.jobs {
		wg.Go(func() { s.loop(ctx, j) })
	}
	wg.Wait()
	s.log.Info("stopped", "hub", s.fleet.hub)
	return nil
}

func newJob(ctx context.Context, path string) (*job, error) {
	program, err := openPack(ctx, path)
	if err != nil {
		return nil, err
	}
	if program.Pack.Schedule == nil {
		return nil, errors.Join(fmt.Errorf("%s: the pack has no schedule; run it once with run", path), program.Close(ctx))
	}
	clock, err := engine.NewClock(program.Pack.Schedule)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), program.Close(ctx))
	}
	return &job{program, clock}, nil
}

// listen opens the port of health and metrics and returns how to close it.
func (s *service) listen(address string) (stop func(), err error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.Handle("GET /metrics", s.metrics.handler())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 64 << 10}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("listening ended", "error", err)
		}
	}()
	s.log.Info("serving", "hub", s.fleet.hub, "listen", l.Addr().String())
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			server.Close()
		}
		<-done
	}, nil
}

// loop runs a job whenever it is due. A time that passes while another pass
// runs is missed.
func (s *service) loop(ctx context.Context, j *job) {
	pack := j.program.Pack.Name
	due := j.clock.Next(s.env.now())
	for {
		s.log.Info("next pass", "pack", pack, "at", due.UTC().Format(time.RFC3339))
		if !until(ctx, due, s.env.now) {
			return
		}
		s.once(ctx, j)
		next := j.clock.Next(due)
		for now := s.env.now(); !next.After(now); next = j.clock.Next(next) {
			s.metrics.missed.WithLabelValues(pack, s.fleet.hub).Inc()
		}
		due = next
	}
}

// until waits for a time, and reports whether ctx lasted.
func until(ctx context.Context, due time.Time, now func() time.Time) bool {
	timer := time.NewTimer(due.Sub(now()))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// once runs one pass and counts it.
func (s *service) once(ctx context.Context, j *job) {
	s.writing.Lock()
	defer s.writing.Unlock()
	started := s.env.now()
	at := *s.fleet
	at.now = started.UTC()
	p, err := s.env.pass(ctx, j.program, &at, s.state, s.how, s.workers)
	took := s.env.now().Sub(started)
	s.metrics.pass(j.program.Pack.Name, s.fleet.hub, p, err, took, s.env.now())
	s.logPass(j.program.Pack.Name, p, err, took)
	if p != nil {
		p.plan.Close()
	}
}

func (s *service) logPass(pack string, p *pass, err error, took time.Duration) {
	attributes := []any{"pack", pack, "hub", s.fleet.hub, "seconds", took.Seconds(), "result", result(p, err)}
	if p != nil {
		sum := p.plan.Summary()
		attributes = append(attributes, "twins", sum.Twins, "configurations", sum.Configurations, "errors", sum.Errors, "warnings", sum.Warnings)
		if len(p.plan.Spending.Plugins) > 0 {
			attributes = append(attributes, "fuel", p.plan.Spending.Total())
		}
		if reason := p.plan.Obstacle(); reason != "" {
			attributes = append(attributes, "obstacle", reason)
		}
		if staged := p.plan.Staged(); len(staged) > 0 && p.closed == nil {
			attributes = append(attributes, "staged", stagedText(staged))
		}
		if p.closed != nil {
			attributes = append(attributes, "window", "closed")
		}
		if p.receipt != nil {
			attributes = append(attributes, "written", p.receipt.Count(engine.Written))
		}
	}
	if err != nil {
		s.log.Error("pass failed", append(attributes, "error", explain(err))...)
		return
	}
	s.log.Info("pass", attributes...)
}

// The results of a pass, as metrics and logs name them.
var results = []string{"ok", "guard", "partial", "failed"}

func result(p *pass, err error) string {
	switch {
	case err != nil && partial(err):
		return "partial"
	case costly(err):
		return "guard"
	case err != nil || len(p.plan.Conflicts) > 0:
		return "failed"
	case p.plan.Obstacle() != "":
		return "guard"
	case len(p.plan.Errors) > 0, p.receipt != nil && !p.receipt.Complete():
		return "partial"
	}
	return "ok"
}
