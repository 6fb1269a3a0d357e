package emulator

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// Options holds the optional settings of [Start].
type Options struct {
	Listen          string // where the hub listens; "" means 127.0.0.1:0
	ListenAuthority string // where the authority listens; "" means 127.0.0.1:0
	HubName         string // "" means emu.azure-devices.net

	// Twins is the fleet at the start. Members that a twin lacks are made as at
	// the creation of a device; of two with one name the later version stays.
	Twins iter.Seq2[*twin.Twin, error]
	// Configurations are on the hub at the start, the oldest first.
	Configurations []*twin.Configuration

	// Applications may sign in; none means one that may do everything.
	Applications []Application
	// TokenLifetime is how long tokens live; 0 means an hour.
	TokenLifetime time.Duration
	// SigningKey is the authority's; nil means a new one, which takes a tenth of
	// a second to make. It is the one secret that does not come from Seed.
	SigningKey *rsa.PrivateKey

	Now        func() time.Time // nil means time.Now
	Seed       uint64           // of every id and secret; who knows it knows them
	PageSize   int              // rows in a page of a query at most; 0 means 100
	EmptyPages bool             // an empty page follows each, which the protocol allows

	// ContinuationLifetime is how long the tokens of a query are taken; 0 means
	// until 64 others have begun. How long a hub takes them is not known.
	ContinuationLifetime time.Duration
	// StrictQuery refuses every construct whose meaning on a hub is not known.
	StrictQuery bool
	// IndexLag is how long queries may take to see a change; each twin has its
	// own lag up to that. Everything else sees changes at once.
	IndexLag time.Duration

	// Tier is F1, S1, S2 or S3 and decides, with Units, how much the hub takes;
	// what is more is held back and then refused. With "" all requests pass.
	Tier  string
	Units int // 0 means 1
	// Backlog is how long a request is held back at most; 0 means 10 s.
	Backlog time.Duration
	// RetryAfter is sent with a 429, in whole seconds; 0 means that it is not, as
	// on a hub.
	RetryAfter time.Duration

	// Containers opens the containers of import and export jobs. It fails when the
	// hub may not use one; nil means that it may use none.
	Containers func(ctx context.Context, at *ContainerAddress) (Container, error)

	// State is a folder that keeps what is on the hub, so that an emulator that is
	// started there tomorrow is the same one: ids, secrets, keys, addresses unless
	// others are given, twins, configurations, jobs. It has to have the same
	// Applications; Twins, Configurations, Seed and SigningKey are for its first
	// start. One emulator at a time can use it. "" means that nothing is kept.
	State string

	// InMemory means that nothing listens on the network: [Emulator.HTTPClient]
	// alone reaches hub and authority, over TLS on pipes, as in a bubble of
	// testing/synctest. The Listen options mean nothing then.
	InMemory bool

	RequestLog io.Writer // gets one JSON object a line; nil means none
	Faults     []Fault

	// Devices is how many of the fleet live, in the order of their names: they
	// connect, and each does what it is told in its way, see [Behaviours]. Without
	// a fleet they are made, from device-000001 on.
	Devices int
	// Events gets what a hub routes to endpoints, see [Event], one JSON object a
	// line; nil means none.
	Events io.Writer
	// MaxConfigurations is how many there may be; 0 means 100, and 10 in the tier F1.
	MaxConfigurations int
	// MaxIdentities is how many devices and modules a service may bring it to; 0
	// means a million.
	MaxIdentities int

	real bool // whether Now is the real clock
}

// An Emulator is a running hub with its authority. Its methods may be called
// at any time, also while clients speak to it.
type Emulator struct {
	hub       *hub
	authority *authority
	front     *front
	issuer    *issuer
	store     *store // nil when nothing is kept
	run       uint64 // counts the starts with one store
	hubAddr   string
	pipes     *pipes // in place of the network; nil with one

	servers []*server
	living  sync.WaitGroup // ends after stop
	stop    context.CancelFunc
	unhook  func() bool // from the context of Start
}

// Start runs a hub and its authority on loopback until Close is called or ctx
// is done. An error of [Options.Twins] ends it.
func Start(ctx context.Context, opts *Options) (*Emulator, error) {
	o := opts.withDefaults()
	e := &Emulator{}
	if err := e.make(o); err != nil {
		e.stop()
		return nil, errors.Join(fmt.Errorf("start emulator: %w", err), e.store.close())
	}
	if err := e.listen(o); err != nil {
		e.Close()
		return nil, fmt.Errorf("start emulator: %w", err)
	}
	if err := e.keepSelf(); err != nil {
		e.Close()
		return nil, fmt.Errorf("start emulator: %w", err)
	}
	for _, s := range e.servers {
		s.serve()
	}
	e.unhook = context.AfterFunc(ctx, func() { e.shut() })
	if o.real {
		e.live()
	}
	return e, nil
}

// live lets things happen on the hub also while nobody asks it anything.
func (e *Emulator) live() {
	e.living.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				e.CatchUp()
			case <-e.front.ctx.Done():
				return
			}
		}
	})
}

func (o *Options) withDefaults() *Options {
	c := Options{}
	if o != nil {
		c = *o
	}
	c.Listen = either(c.Listen, "127.0.0.1:0")
	c.ListenAuthority = either(c.ListenAuthority, "127.0.0.1:0")
	c.HubName = either(c.HubName, "emu.azure-devices.net")
	if c.TokenLifetime == 0 {
		c.TokenLifetime = time.Hour
	}
	if c.Now == nil {
		c.Now, c.real = time.Now, true
	}
	if c.Backlog == 0 {
		c.Backlog = defaultBacklog
	}
	if c.PageSize == 0 {
		c.PageSize = defaultPage
	}
	return &c
}

// make builds everything that needs no address.
func (e *Emulator) make(o *Options) (err error) {
	var background context.Context
	background, e.stop = context.WithCancel(context.Background())
	e.front = &front{now: o.Now, ctx: background, log: requestLog{w: o.RequestLog}}
	if err := e.front.setScript(o.Faults); err != nil {
		return err
	}
	tier, err := tierNamed(o.Tier)
	if err != nil {
		return err
	}
	if o.Units < 0 || o.Units > maxUnits {
		return fmt.Errorf("%d units of a tier, a hub has 1 to %d", o.Units, maxUnits)
	}
	kept, err := e.openState(o)
	if err != nil {
		return err
	}
	key := o.SigningKey
	if key == nil {
		if key, err = newSigningKey(); err != nil {
			return err
		}
	}
	dice := newDice(o.Seed)
	e.authority = &authority{
		tenant: dice.uuid(), key: key, apps: complete(o.Applications, dice),
		lifetime: o.TokenLifetime, now: o.Now, dice: dice,
	}
	e.hub = newHub(o, tier, e.authority)
	e.hub.ctx = background
	if err := e.fill(o, kept); err != nil {
		return err
	}
	if o.IndexLag > 0 {
		e.hub.lagBehind(o.IndexLag)
	}
	return nil
}

// listen opens the ports, the authority's first. Nobody is served yet.
func (e *Emulator) listen(o *Options) error {
	cert, err := e.issuer.issue(o.HubName, "localhost")
	if err != nil {
		return err
	}
	open := opener(net.Listen)
	if o.InMemory {
		e.pipes = newPipes()
		o.Listen, o.ListenAuthority, open = o.HubName+":443", "localhost:443", e.pipes.listen
	}
	entra, err := open.listen(o.ListenAuthority, cert, e.front.handler(e.authority), 0)
	if err != nil {
		return err
	}
	e.servers = append(e.servers, entra)
	e.authority.url = "https://" + entra.addr()
	hub, err := open.listen(o.Listen, cert, e.front.handler(e.hub), o.Backlog)
	if err != nil {
		return err
	}
	e.servers = append(e.servers, hub)
	e.hubAddr = hub.addr()
	return nil
}

// Close drops all connections and returns when the last request has ended. Its
// errors are those of the first writes to [Options.RequestLog],
// [Options.Events] and [Options.State] that failed. The state can still be read
// afterwards.
func (e *Emulator) Close() error {
	if e.unhook != nil {
		e.unhook()
	}
	err := e.shut()
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	return errors.Join(err, e.front.log.failure(), e.hub.events.failure(), e.store.close())
}

func (e *Emulator) shut() error {
	e.stop()
	var errs []error
	for _, s := range e.servers {
		errs = append(errs, s.close())
	}
	e.front.leave()
	e.living.Wait()
	e.hub.stay()
	return errors.Join(errs...)
}

// HubAddr returns where the hub listens, such as "127.0.0.1:18443".
func (e *Emulator) HubAddr() string { return e.hubAddr }

// HubName returns the host name that the hub has in Azure.
func (e *Emulator) HubName() string { return e.hub.gate.hubName }

// Authority returns the URL of the authority, for AZURE_AUTHORITY_HOST.
func (e *Emulator) Authority() string { return e.authority.url }

// Tenant returns the id of the only tenant.
func (e *Emulator) Tenant() string { return e.authority.tenant }

// Applications returns those that may sign in, with their ids and secrets.
func (e *Emulator) Applications() []Application {
	var list []Application
	for _, app := range e.authority.apps {
		list = append(list, *app)
	}
	return list
}

// Client returns the client id of the first application.
func (e *Emulator) Client() string { return e.authority.apps[0].ClientID }

// Secret returns the secret of the first application.
func (e *Emulator) Secret() string { return e.authority.apps[0].Secret }

// CA returns the certificate to trust, in PEM.
func (e *Emulator) CA() []byte { return e.issuer.pem }

// CertPool returns the certificate to trust.
func (e *Emulator) CertPool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(e.issuer.cert)
	return pool
}

// HTTPClient returns a client that trusts the emulator and finds its hub also
// under the hub's name. Its idle connections are the caller's to close.
func (e *Emulator) HTTPClient() *http.Client {
	dial := (&net.Dialer{}).DialContext
	if e.pipes != nil {
		dial = e.pipes.dial
	}
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: e.CertPool()},
		MaxIdleConnsPerHost: 64,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if host, _, err := net.SplitHostPort(addr); err == nil && host == e.HubName() {
				addr = e.hubAddr
			}
			return dial(ctx, network, addr)
		},
	}}
}

// Requests returns the latest requests, the oldest first; of old ones it keeps
// at least ten thousand.
func (e *Emulator) Requests() []Request { return e.front.log.latest() }

// SetFaults replaces the scripted faults; counting starts anew.
func (e *Emulator) SetFaults(faults ...Fault) error { return e.front.setScript(faults) }
