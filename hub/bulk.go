package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/twinrules/twinrules/hub/twin"
)

// An ImportMode is what is done with an item of [RegistryClient.UpdateRegistry]
// or a line of an import.
type ImportMode string

// The import modes. The last two are for imports: whether UpdateRegistry takes
// them is not known.
const (
	ImportModeCreate                    ImportMode = "create"
	ImportModeUpdate                    ImportMode = "update"
	ImportModeUpdateIfMatchETag         ImportMode = "updateIfMatchETag"
	ImportModeDelete                    ImportMode = "delete"
	ImportModeDeleteIfMatchETag         ImportMode = "deleteIfMatchETag"
	ImportModeUpdateTwin                ImportMode = "updateTwin"
	ImportModeUpdateTwinIfMatchETag     ImportMode = "updateTwinIfMatchETag"
	ImportModeCreateOrUpdate            ImportMode = "createOrUpdate"
	ImportModeCreateOrUpdateIfMatchETag ImportMode = "createOrUpdateIfMatchETag"
)

// PossibleImportModeValues returns the import modes.
func PossibleImportModeValues() []ImportMode {
	return []ImportMode{
		ImportModeCreate, ImportModeUpdate, ImportModeUpdateIfMatchETag, ImportModeDelete, ImportModeDeleteIfMatchETag,
		ImportModeUpdateTwin, ImportModeUpdateTwinIfMatchETag, ImportModeCreateOrUpdate, ImportModeCreateOrUpdateIfMatchETag,
	}
}

// A RegistryUpdate is what is to be done with one device or module.
type RegistryUpdate struct {
	Mode           ImportMode
	Ref            twin.Ref
	ETag, TwinETag azcore.ETag // for the modes that ask for a match
	Status         string      // "" means "enabled"
	StatusReason   string
	Authentication Authentication
	Edge           bool
	Scope          string
	Tags, Desired  twin.Object // what the twin begins with, or for updateTwin the patch
}

// MaxRegistryUpdates is how many items the hub takes at once.
const MaxRegistryUpdates = 100

// A RegistryError is what went wrong with one item.
type RegistryError struct {
	Ref       twin.Ref
	Code      string // such as "DeviceAlreadyExists"
	Text      string
	Operation string
}

func (e RegistryError) Error() string {
	return fmt.Sprintf("%s: %s: %s", e.Ref, e.Code, e.Text)
}

// A RegistryWarning is what the hub remarks about one item that it has done.
type RegistryWarning struct {
	Ref        twin.Ref
	Code, Text string // such as "DeviceRegisteredWithoutTwin"
}

type (
	// RegistryClientUpdateRegistryOptions holds the optional settings of
	// UpdateRegistry. There are none yet.
	RegistryClientUpdateRegistryOptions struct{}
	// RegistryClientUpdateRegistryResponse says what came of the items. Those
	// without an error have been done, also when others have one.
	RegistryClientUpdateRegistryResponse struct {
		Successful bool
		Errors     []RegistryError
		Warnings   []RegistryWarning
	}
)

// UpdateRegistry does something with up to [MaxRegistryUpdates] devices and
// modules in one request. That some of them failed is no error but part of the
// response. Each item counts against the hub's limit, so that this is no faster
// than one by one; it is never sent twice unless the hub said that it was too much.
func (c *RegistryClient) UpdateRegistry(ctx context.Context, items []RegistryUpdate, _ *RegistryClientUpdateRegistryOptions) (out RegistryClientUpdateRegistryResponse, err error) {
	r := request{op: updateRegistry, method: http.MethodPost, path: []string{"devices"}, charge: len(items)}
	body := []any{}
	for _, item := range items {
		if err := checkRef(item.Ref); err != nil {
			return out, c.client.failure(r, err)
		}
		body = append(body, item.document())
	}
	if len(items) == 0 || len(items) > MaxRegistryUpdates {
		return out, c.client.failure(r, fmt.Errorf("the hub takes 1 to %d items at once, these are %d", MaxRegistryUpdates, len(items)))
	}
	r.body = twin.Encode(body)
	a, err := c.client.do(ctx, r)
	if err != nil {
		return out, err
	}
	if out, err = parseBulk(a); err != nil {
		return out, c.client.bad(r, err)
	}
	return out, nil
}

func (u RegistryUpdate) document() twin.Object {
	o := twin.Object{"id": u.Ref.Device, "importMode": string(u.Mode), "status": "enabled"}
	set(o, "moduleId", u.Ref.Module)
	set(o, "eTag", strings.Trim(string(u.ETag), `"`))
	set(o, "twinETag", strings.Trim(string(u.TwinETag), `"`))
	if u.Status != "" {
		o["status"] = u.Status
	}
	set(o, "statusReason", u.StatusReason)
	set(o, "deviceScope", u.Scope)
	u.Authentication.put(o)
	if u.Edge {
		o["capabilities"] = twin.Object{"iotEdge": true}
	}
	if u.Tags != nil {
		o["tags"] = u.Tags
	}
	if u.Desired != nil {
		o["properties"] = twin.Object{"desired": u.Desired}
	}
	return o
}

type bulkJSON struct {
	IsSuccessful *bool `json:"isSuccessful"`
	Errors       []struct {
		DeviceID    string          `json:"deviceId"`
		ModuleID    string          `json:"moduleId"`
		ErrorCode   json.RawMessage `json:"errorCode"` // a number on the wire, a name in the description
		ErrorStatus string          `json:"errorStatus"`
		Operation   string          `json:"operation"`
	} `json:"errors"`
	Warnings []struct {
		DeviceID      string `json:"deviceId"`
		WarningCode   string `json:"warningCode"`
		WarningStatus string `json:"warningStatus"`
	} `json:"warnings"`
}

// isBulkResult tells the answer to a bulk of which a part failed, a 400 as well,
// from a refusal of the whole.
func isBulkResult(status int, body []byte) bool {
	var j bulkJSON
	return status == http.StatusBadRequest && json.Unmarshal(body, &j) == nil && j.IsSuccessful != nil
}

func parseBulk(a *answer) (out RegistryClientUpdateRegistryResponse, err error) {
	var j bulkJSON
	if err := a.checkJSON(); err != nil {
		return out, err
	}
	if err := json.Unmarshal(a.body, &j); err != nil {
		return out, err
	}
	if j.IsSuccessful == nil {
		return out, fmt.Errorf("it does not say whether it was successful")
	}
	out.Successful = *j.IsSuccessful
	for _, e := range j.Errors {
		code := codeName(clean(strings.Trim(string(e.ErrorCode), `"`)))
		out.Errors = append(out.Errors, RegistryError{twin.Ref{Device: clean(e.DeviceID), Module: clean(e.ModuleID)}, code, clean(e.ErrorStatus), clean(e.Operation)})
	}
	for _, w := range j.Warnings {
		out.Warnings = append(out.Warnings, RegistryWarning{twin.Ref{Device: clean(w.DeviceID)}, clean(w.WarningCode), clean(w.WarningStatus)})
	}
	return out, nil
}
