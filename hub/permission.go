package hub

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/twinrules/twinrules/hub/twin"
)

// A Permission is an action on the data of a hub, and whether the client may do
// it.
type Permission struct {
	Action string // such as "Microsoft.Devices/IotHubs/twins/read"
	Role   string // the narrowest built-in role that grants it
	Held   bool
	Err    error // why that could not be found out, nil when it was
}

// absent is a name that no document has, so that nothing can come of what is
// asked to be done to it.
const absent = "twinrules-permission-check-5d0c7b91"

// A question is a request that needs a permission and cannot change anything: it
// reads, or is about a document that does not exist, depends on an etag that
// none has, and is malformed where it would create one.
type question struct {
	op     *operation
	method string
	path   []string
	query  url.Values
	body   string
}

func questions() []question {
	one := url.Values{"top": {"1"}}
	return []question{
		{op: queryTwins, method: http.MethodPost, path: []string{"devices", "query"}, body: `{"query":"SELECT deviceId FROM devices WHERE deviceId = '` + absent + `'"}`},
		{op: updateTwin, method: http.MethodPatch, path: []string{"twins", absent}, body: `{"tags":{}}`},
		{op: listConfigurations, method: http.MethodGet, path: []string{"configurations"}, query: one},
		{op: putConfiguration, method: http.MethodPut, path: []string{"configurations", absent}, body: `{"id":"another"}`},
		{op: deleteConfiguration, method: http.MethodDelete, path: []string{"configurations", absent}},
		{op: testQueries, method: http.MethodPost, path: []string{"configurations", "testQueries"}, body: `{"targetCondition":"deviceId = '` + absent + `'","customMetricQueries":{}}`},
		{op: queryScheduledJobs, method: http.MethodGet, path: []string{"jobs", "v2", "query"}},
		{op: createTransfer, method: http.MethodPost, path: []string{"jobs", "create"}, body: `{"type":"none"}`},
		{op: cancelScheduledJob, method: http.MethodPost, path: []string{"jobs", "v2", absent, "cancel"}},
		{op: listDevices, method: http.MethodGet, path: []string{"devices"}, query: one},
		{op: putDevice, method: http.MethodPut, path: []string{"devices", absent}, body: `{"deviceId":"another"}`},
		{op: deleteDevice, method: http.MethodDelete, path: []string{"devices", absent}},
		{op: getRegistryStatistics, method: http.MethodGet, path: []string{"statistics", "devices"}},
		{op: invokeMethod, method: http.MethodPost, path: []string{"twins", absent, "methods"}, body: `{"methodName":"none"}`},
	}
}

// Permissions asks the hub, action by action, what the client may do. It changes
// nothing. That the hub looks at permissions before it looks for documents, on
// which the answers for writing rest, was not seen on the wire but fits all that
// was. It fails when nobody is signed in, or the hub takes the token of nobody.
func (c *Client) Permissions(ctx context.Context) ([]Permission, error) {
	var list []Permission
	for _, p := range questions() {
		err := c.askIf(ctx, p)
		if e, ok := errors.AsType[*Error](err); ok && (e.stage != answered || e.Code == string(CodeIotHubUnauthorizedAccess)) {
			return nil, err
		}
		list = append(list, permission(p.op, err))
	}
	return list, nil
}

// permission reads an answer. Any that is about the request is one that the
// hub gives to those who may ask.
func permission(op *operation, err error) Permission {
	p := Permission{Action: op.action, Role: op.role, Held: true}
	e, failed := errors.AsType[*Error](err)
	switch {
	case err == nil:
	case !failed || e.Status == http.StatusTooManyRequests || e.Status >= 500:
		p.Held, p.Err = false, err
	case errors.Is(err, twin.ErrDenied):
		p.Held = false
	}
	return p
}

func (c *Client) askIf(ctx context.Context, p question) error {
	r := request{op: p.op, method: p.method, path: p.path, query: p.query, solo: true}
	if p.body != "" {
		r.body = []byte(p.body)
	}
	if p.op.writes() {
		r.header = http.Header{"If-Match": {`"` + absent + `"`}}
	}
	_, err := c.do(ctx, r)
	return err
}
