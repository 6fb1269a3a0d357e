package emulator

import (
	"crypto"
	"crypto/x509"
)

// An Application may sign in at the authority, and holds roles on the hub.
type Application struct {
	Name         string              // for people; not sent
	ClientID     string              // "" for one from the seed
	ObjectID     string              // of its service principal, which the hub knows it by; "" for one from the seed
	Secret       string              // "" for one from the seed
	Certificates []*x509.Certificate // whose keys may sign its assertions
	Federated    []Federated         // who else may speak for it
	Roles        []*Role             // on the hub; nil for none
}

// A Federated credential trusts the tokens of another issuer, such as a CI
// system's, to speak for an application.
type Federated struct {
	Issuer, Subject, Audience string
	Key                       crypto.PublicKey // of the issuer
}

// complete returns the applications with their ids drawn. With none given it is
// one that may do everything.
func complete(apps []Application, d *dice) []*Application {
	if len(apps) == 0 {
		apps = []Application{{Name: "default", Roles: []*Role{DataContributor}}}
	}
	var list []*Application
	for _, a := range apps {
		client, object, secret := d.uuid(), d.uuid(), d.secret()
		a.ClientID = either(a.ClientID, client)
		a.ObjectID = either(a.ObjectID, object)
		a.Secret = either(a.Secret, secret)
		list = append(list, &a)
	}
	return list
}

func either(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}
