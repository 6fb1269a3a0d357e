package emulator

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
)

// A selfhood is what an emulator has to keep to be the same one tomorrow: with
// the seed all ids and secrets, and the keys that do not come from it. Yesterday's
// ready.json is good for it.
type selfhood struct {
	Seed      uint64
	Run       uint64 // counts the starts, so that none draws the ids of another
	Hub       string // where it listens
	Authority string
	Signing   []byte // PKCS #8
	CA        []byte // the certificate
	CAKey     []byte // PKCS #8
}

// selfIn returns what contents say of the emulator, nil when they are empty.
func selfIn(kept contents) (*selfhood, error) {
	value := kept[keptIdentity]["self"]
	if value == nil {
		return nil, nil
	}
	s := &selfhood{}
	if err := json.Unmarshal(value, s); err != nil {
		return nil, fmt.Errorf("load state: %w", err)
	}
	return s, nil
}

// become makes o the options of the emulator that s is: the seed and the keys
// are its own, and so are the addresses unless others are asked for.
func (s *selfhood) become(o *Options) (*issuer, error) {
	o.Seed = s.Seed
	o.Listen = sameAddress(o.Listen, s.Hub)
	o.ListenAuthority = sameAddress(o.ListenAuthority, s.Authority)
	signing, err := x509.ParsePKCS8PrivateKey(s.Signing)
	if err != nil {
		return nil, fmt.Errorf("load state: signing key: %w", err)
	}
	caKey, err := x509.ParsePKCS8PrivateKey(s.CAKey)
	if err != nil {
		return nil, fmt.Errorf("load state: key of the CA: %w", err)
	}
	cert, err := x509.ParseCertificate(s.CA)
	if err != nil {
		return nil, fmt.Errorf("load state: CA: %w", err)
	}
	var ok, ok2 bool
	i := &issuer{cert: cert, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.CA})}
	o.SigningKey, ok = signing.(*rsa.PrivateKey)
	i.key, ok2 = caKey.(*ecdsa.PrivateKey)
	if !ok || !ok2 {
		return nil, fmt.Errorf("load state: a key is of another kind")
	}
	return i, nil
}

// sameAddress returns where to listen: at the address from before, when the one
// that is asked for leaves the port open.
func sameAddress(asked, before string) string {
	host, port, err := net.SplitHostPort(asked)
	host2, _, err2 := net.SplitHostPort(before)
	if err == nil && err2 == nil && port == "0" && host == host2 {
		return before
	}
	return asked
}

// selfOf returns what to keep of e.
func selfOf(e *Emulator, run uint64) (*selfhood, error) {
	signing, err := x509.MarshalPKCS8PrivateKey(e.authority.key)
	if err != nil {
		return nil, fmt.Errorf("keep state: signing key: %w", err)
	}
	caKey, err := x509.MarshalPKCS8PrivateKey(e.issuer.key)
	if err != nil {
		return nil, fmt.Errorf("keep state: key of the CA: %w", err)
	}
	return &selfhood{
		Seed: e.hub.dice.seed, Run: run, Hub: e.hubAddr, Authority: e.servers[0].addr(),
		Signing: signing, CA: e.issuer.cert.Raw, CAKey: caKey,
	}, nil
}

func (h *hub) identityIDs() []string {
	if h.self == nil {
		return nil
	}
	return []string{"self"}
}

func (h *hub) keptIdentity(string) json.RawMessage {
	if h.self == nil {
		return nil
	}
	return marshal(h.self)
}

// openState opens the state if there is to be one, and makes or finds the
// issuer.
func (e *Emulator) openState(o *Options) (kept contents, err error) {
	if o.State != "" {
		if e.store, kept, err = openStore(o.State); err != nil {
			return nil, err
		}
	}
	self, err := selfIn(kept)
	if err != nil {
		return nil, err
	}
	if self == nil {
		e.issuer, err = newIssuer()
		return nil, err
	}
	e.run = self.Run + 1
	e.issuer, err = self.become(o)
	return kept, err
}

// fill gives the hub what it was left with, or what it begins with.
func (e *Emulator) fill(o *Options, kept contents) error {
	e.hub.store = e.store
	if kept == nil {
		if err := e.hub.seed(o); err != nil {
			return err
		}
	} else {
		e.hub.dice.restart(e.run)
		if err := e.hub.load(kept); err != nil {
			return err
		}
	}
	e.hub.fleet.changed = e.hub.twinChanged // what was there before is no news
	return e.hub.enliven(o.Devices)
}

// keepSelf writes the whole state, now that the addresses are known.
func (e *Emulator) keepSelf() (err error) {
	if e.store == nil {
		return nil
	}
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	if e.hub.self, err = selfOf(e, e.run); err != nil {
		return err
	}
	return e.hub.keepAll()
}
