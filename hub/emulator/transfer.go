package emulator

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// The names that blobs have unless a job says others.
const (
	devicesBlob        = "devices.txt"
	configurationsBlob = "configurations.txt"
	errorsBlob         = "importErrors.log"
)

const enqueued = "enqueued"

// A transfer is an import or export job. Its members are exported for the state
// on disk.
type transfer struct {
	ID             string
	Kind           string // "import" or "export"
	Input, Output  string // container URIs, which may hold signatures
	InputBlob      string
	OutputBlob     string
	ConfigBlob     string
	Configurations bool
	ExcludeKeys    bool
	Auth           string
	Identity       string `json:",omitempty"` // the user-assigned one
	Status         string
	Progress       int
	Failure        string
	Start          time.Time
	Ended          time.Time `json:",omitzero"`
	Born           int
}

func (t *transfer) active() bool { return t.Status == enqueued || t.Status == running }

// Transfers are the import and export jobs in the order of their creation. They
// are guarded by the hub.
type transfers struct{ list []*transfer }

func (ts *transfers) find(id string) *transfer {
	for _, t := range ts.list {
		if t.ID == id {
			return t
		}
	}
	return nil
}

type transferRequest struct {
	Type           string           `json:"type"`
	Input          string           `json:"inputBlobContainerUri"`
	Output         string           `json:"outputBlobContainerUri"`
	InputBlob      string           `json:"inputBlobName"`
	OutputBlob     string           `json:"outputBlobName"`
	ExcludeKeys    bool             `json:"excludeKeysInExport"`
	Auth           string           `json:"storageAuthenticationType"`
	Identity       *managedIdentity `json:"identity"`
	Configurations bool             `json:"includeConfigurations"`
	ConfigBlob     string           `json:"configurationsBlobName"`
}

type managedIdentity struct {
	UserAssigned string `json:"userAssignedIdentity"`
}

// readTransfer reads the body of a POST to /jobs/create.
func readTransfer(body []byte) (*transfer, error) {
	if _, err := twin.DecodeObject(body); err != nil {
		return nil, refuse("IotHubFormatError", "%v", err)
	}
	var r transferRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, refuse("ArgumentInvalid", "%v", err)
	}
	t := &transfer{
		Kind: strings.ToLower(r.Type), Input: r.Input, Output: r.Output,
		InputBlob: either(r.InputBlob, devicesBlob), OutputBlob: either(r.OutputBlob, devicesBlob),
		ConfigBlob: either(r.ConfigBlob, configurationsBlob), Configurations: r.Configurations, ExcludeKeys: r.ExcludeKeys,
		Auth: either(spelledLike(r.Auth, authTypes), authTypes[0]), Status: enqueued,
	}
	if r.Identity != nil {
		t.Identity = r.Identity.UserAssigned
	}
	return t, t.check(&r)
}

// authTypes are how a hub may go to storage; without a word it is the first.
var authTypes = []string{"keyBased", "identityBased"}

// spelledLike returns the one of list that is s in other letters, "" for none.
func spelledLike(s string, list []string) string {
	for _, known := range list {
		if strings.EqualFold(known, s) {
			return known
		}
	}
	return ""
}

func (t *transfer) check(r *transferRequest) error {
	switch {
	case t.Kind != "import" && t.Kind != "export":
		return refuse("ArgumentInvalid", "The job type '%s' is neither import nor export.", r.Type)
	case r.Auth != "" && spelledLike(r.Auth, authTypes) == "":
		return refuse("ArgumentInvalid", "The storageAuthenticationType '%s' is unknown.", r.Auth)
	case t.Identity != "" && t.Auth != "identityBased":
		return refuse("ArgumentInvalid", "An identity needs the storageAuthenticationType identityBased.")
	case t.Output == "":
		return refuse("ArgumentNull", "outputBlobContainerUri is missing.")
	case t.Kind == "import" && t.Input == "":
		return refuse("ArgumentNull", "inputBlobContainerUri is missing.")
	}
	return nil
}

// A transferBody is an import or export job on the wire. The container is not
// echoed; in 2021 it was.
type transferBody struct {
	ID          string           `json:"jobId"`
	Start       string           `json:"startTimeUtc"`
	End         string           `json:"endTimeUtc,omitempty"`
	Type        string           `json:"type"`
	Status      string           `json:"status"`
	Progress    int              `json:"progress"`
	Failure     string           `json:"failureReason,omitempty"`
	ExcludeKeys *bool            `json:"excludeKeysInExport,omitempty"` // of exports
	Auth        string           `json:"storageAuthenticationType,omitempty"`
	Identity    *managedIdentity `json:"identity,omitempty"`
	Configs     bool             `json:"includeConfigurations,omitempty"`
	Secondary   bool             `json:"useSecondaryStorageAsSource"`
}

func (t *transfer) body() transferBody {
	b := transferBody{
		ID: t.ID, Start: stamp(t.Start), Type: t.Kind, Status: t.Status, Progress: t.Progress, Failure: t.Failure,
		Auth: t.Auth, Configs: t.Configurations,
	}
	if t.Kind == "export" {
		b.ExcludeKeys = &t.ExcludeKeys
	}
	if t.Identity != "" {
		b.Identity = &managedIdentity{t.Identity}
	}
	if !t.Ended.IsZero() {
		b.End = stamp(t.Ended)
	}
	return b
}

// forgetTransfers removes what ended too long ago.
func (h *hub) forgetTransfers(now time.Time) {
	h.transfers.list = slices.DeleteFunc(h.transfers.list, func(t *transfer) bool {
		old := !t.active() && now.Sub(t.Ended) >= jobHistory
		if old {
			h.store.touch(keptTransfers, t.ID)
		}
		return old
	})
}
