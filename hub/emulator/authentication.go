package emulator

import (
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/twinrules/twinrules/hub/twin"
)

// An authenticationBody is an authentication as a service sends it. Members
// that are missing and members that are null or empty are one.
type authenticationBody struct {
	Type         string
	SymmetricKey struct{ PrimaryKey, SecondaryKey string }
	Thumbprint   struct{ PrimaryThumbprint, SecondaryThumbprint string } `json:"x509Thumbprint"`
}

// A proof is a form of authentication that was found right.
type proof struct {
	kind               string
	primary, secondary string // keys in base64, or thumbprints; "" where the hub makes keys
}

// A proofKind is one of the forms. Each reads what it needs of a body.
type proofKind struct {
	name string
	read func(b *authenticationBody, p *proof, module bool) error
}

var proofKinds = []proofKind{
	{"sas", readKeys},
	{"selfSigned", readThumbprints},
	{"certificateAuthority", func(*authenticationBody, *proof, bool) error { return nil }},
	{"none", func(_ *authenticationBody, p *proof, module bool) error {
		if !module {
			return refuse("DeviceAuthenticationTypeIsMissing", "A device has to have an authentication type.")
		}
		p.kind = "sas" // as observed of modules
		return nil
	}},
}

// readProof reads an authentication. Without a type the members tell it, which
// is inferred from what the tools of others send.
func readProof(b *authenticationBody, module bool) (p proof, err error) {
	kind := b.Type
	if kind == "" && b.Thumbprint.PrimaryThumbprint+b.Thumbprint.SecondaryThumbprint != "" {
		kind = "selfSigned"
	}
	kind = either(kind, "sas")
	for _, k := range proofKinds {
		if strings.EqualFold(k.name, kind) {
			p.kind = k.name
			return p, k.read(b, &p, module)
		}
	}
	return p, refuse("ArgumentInvalid", "The authentication type '%s' is none of sas, selfSigned, certificateAuthority and none.", kind)
}

func readKeys(b *authenticationBody, p *proof, _ bool) error {
	p.primary, p.secondary = b.SymmetricKey.PrimaryKey, b.SymmetricKey.SecondaryKey
	if (p.primary == "") != (p.secondary == "") {
		return refuse("ArgumentInvalid", "Either no keys or both keys can be set")
	}
	for _, key := range []string{p.primary, p.secondary} {
		raw, err := base64.StdEncoding.DecodeString(key)
		if err != nil || key != "" && (len(raw) < 16 || len(raw) > 64) {
			return refuse("ArgumentInvalid", "Invalid device key length")
		}
	}
	return nil
}

// readThumbprints takes SHA-1 and SHA-256 in hex without separators, and also
// none at all, as observed.
func readThumbprints(b *authenticationBody, p *proof, _ bool) error {
	p.primary, p.secondary = b.Thumbprint.PrimaryThumbprint, b.Thumbprint.SecondaryThumbprint
	for _, print := range []string{p.primary, p.secondary} {
		_, err := hex.DecodeString(print)
		if err != nil || print != "" && len(print) != 40 && len(print) != 64 {
			return refuse("StringIsNotThumbprint", "The thumbprint '%s' is not 40 or 64 hexadecimal digits.", print)
		}
	}
	return nil
}

// write puts the visible side of p into a twin.
func (p proof) write(o twin.Object) {
	o["authenticationType"] = p.kind
	prints := twin.Object{"primaryThumbprint": nil, "secondaryThumbprint": nil}
	if p.kind == "selfSigned" {
		prints["primaryThumbprint"], prints["secondaryThumbprint"] = orNull(p.primary), orNull(p.secondary)
	}
	o["x509Thumbprint"] = prints
}

// keep puts the keys of p into r. The hub makes those that are not given, which
// belong to the identity's name at this etag.
func (p proof) keep(r *registration, name string, d *dice) {
	r.PrimaryKey, r.SecondaryKey = "", ""
	if p.kind != "sas" {
		return
	}
	r.PrimaryKey, r.SecondaryKey = p.primary, p.secondary
	if p.primary == "" {
		r.PrimaryKey, r.SecondaryKey = d.keyOf("primary "+name), d.keyOf("secondary "+name)
	}
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
