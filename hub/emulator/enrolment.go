package emulator

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/twinrules/twinrules/hub/twin"
)

// An enrolment is what a service writes of an identity: all of it, since the
// registry replaces as a whole.
type enrolment struct {
	ref       twin.Ref
	status    string
	reason    string
	proof     proof
	edge      bool
	scope     *string // nil when not given
	parents   []string
	managedBy *string
}

// An identityBody is an identity as a service sends it, alone or in bulk.
type identityBody struct {
	Status         string
	StatusReason   string
	Authentication authenticationBody
	Capabilities   struct{ IoTEdge bool }
	DeviceScope    *string
	ParentScopes   []string
	ManagedBy      *string
}

// readEnrolment reads the body of a PUT to ref, which has to name it too: that
// it must is inferred.
func readEnrolment(ref twin.Ref, body []byte) (*enrolment, error) {
	var b struct {
		DeviceID, ModuleID string
		identityBody
	}
	if err := readBody(body, &b); err != nil {
		return nil, err
	}
	if b.DeviceID != ref.Device || b.ModuleID != ref.Module {
		return nil, refuse("ArgumentInvalid", "The ids of the body are not those of the path, %s.", idsOf(ref))
	}
	return b.enrol(ref)
}

// readBody reads JSON that the hub would have to be able to read.
func readBody(body []byte, into any) error {
	if _, err := twin.Decode(body); err != nil {
		return refuse("IotHubFormatError", "%v", err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return refuse("ArgumentInvalid", "%v", err)
	}
	return nil
}

// enrol returns the enrolment that b is for ref.
func (b *identityBody) enrol(ref twin.Ref) (_ *enrolment, err error) {
	e := &enrolment{ref: ref, status: either(b.Status, "enabled"), reason: b.StatusReason,
		edge: b.Capabilities.IoTEdge, scope: b.DeviceScope, parents: b.ParentScopes, managedBy: b.ManagedBy}
	if err := checkIDs(ref); err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"enabled", "disabled"}, e.status) {
		return nil, refuse("ArgumentInvalid", "The status '%s' is neither enabled nor disabled.", e.status)
	}
	if n := utf8.RuneCountInString(e.reason); n > maxReason {
		return nil, refuse("ArgumentInvalid", "A status reason of %d characters, the hub takes %d.", n, maxReason)
	}
	e.proof, err = readProof(&b.Authentication, ref.Module != "")
	return e, err
}

// checkIDs refuses ids that the registry does not take: modules of which the
// hub itself takes care begin with "$".
func checkIDs(ref twin.Ref) error {
	err := twin.CheckID(ref.Device)
	if err == nil && ref.Module != "" {
		err = twin.CheckID(ref.Module)
	}
	switch {
	case err != nil:
		return refuse("ArgumentInvalid", "%v", err)
	case strings.HasPrefix(ref.Module, "$"):
		return refuse("ArgumentInvalid", "The module ID '%s' begins with '$', as those of the hub do.", ref.Module)
	}
	return nil
}

// write puts the visible side of e into a twin.
func (e *enrolment) write(o twin.Object) {
	e.proof.write(o)
	if e.ref.Module != "" {
		return
	}
	o["status"] = e.status
	o["capabilities"] = twin.Object{"iotEdge": e.edge}
	set(o, "statusReason", orNull(e.reason))
}

// set puts value into o, or takes the member out when there is none.
func set(o twin.Object, key string, value any) {
	if o[key] = value; value == nil {
		delete(o, key)
	}
}
