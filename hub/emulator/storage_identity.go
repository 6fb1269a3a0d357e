package emulator

import "time"

// storageResource is storage's name at the authority.
const storageResource = "https://storage.azure.com"

// storageIdentities are the managed identities as which a hub goes to storage:
// its own, and those that were given to it, all of which it is taken to have.
// Nobody can sign in as one, so they are not among the applications.
type storageIdentities struct{ authority *authority }

// token returns one of an identity, "" for the hub's own, and when it expires.
func (s *storageIdentities) token(identity string) (string, time.Time) {
	a := s.authority
	id := a.dice.uuidOf("identity " + identity)
	expires := a.now().Add(a.lifetime)
	return a.mint(&Application{ClientID: id, ObjectID: id}, storageResource), expires
}
