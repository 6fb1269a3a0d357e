package emulator

import (
	"fmt"
	"strings"
	"time"
)

// A code is a symbolic error of the hub with its status and its number, 0 where
// none is known.
type code struct {
	status int
	number int
	name   string
}

// codes lists the errors of the service API. The first of a status is the one a
// [Fault] means that names none.
var codes = []code{
	argumentInvalid,
	{400, 400001, "InvalidProtocolVersion"},
	{400, 400003, "InvalidOperation"},
	{400, 400005, "ArgumentNull"},
	{400, 400006, "IotHubFormatError"},
	{400, 400008, "BlobContainerValidationError"},
	{400, 400011, "DeviceDefinedMultipleTimes"},
	{400, 0, "StringIsNotThumbprint"},
	{400, 0, "DeviceAuthenticationTypeIsMissing"},
	{400, 0, "InvalidDigitalTwinPatch"},
	{400, 0, "InvalidDigitalTwinPatchPath"},
	{400, 0, "InvalidDigitalTwinJsonPatch"},
	{400, 0, "InvalidConfigurationTargetCondition"},
	{400, 0, "InvalidConfigurationContent"},
	unauthorizedAccess,
	{401, 401001, "IotHubNotFound"},
	{401, 401003, "IotHubUnauthorized"},
	{403, 403002, "IotHubQuotaExceeded"},
	{403, 403001, "IotHubSuspended"},
	{403, 403003, "JobQuotaExceeded"},
	{403, 403004, "DeviceMaximumQueueDepthExceeded"},
	deviceNotFound,
	{404, 404002, "JobNotFound"},
	{404, 404010, "ModuleNotFound"},
	{404, 404103, "DeviceNotOnline"},
	{404, 0, "ConfigurationNotFound"},
	{405, 0, "OperationNotAllowedInCurrentState"},
	{409, 409001, "DeviceAlreadyExists"},
	{409, 409301, "ModuleAlreadyExistsOnDevice"},
	{409, 0, "ConfigurationAlreadyExists"},
	{409, 0, "JobAlreadyExists"},
	preconditionFailed,
	{412, 412002, "DeviceMessageLockLost"},
	{413, 413001, "MessageTooLarge"},
	{413, 413002, "TooManyDevices"},
	{413, 413003, "TooManyModulesOnDevice"},
	{413, 0, "ConfigurationCountLimitExceeded"},
	{429, 429003, "ThrottlingBacklogTimeout"},
	{429, 429001, "ThrottlingException"},
	{429, 429004, "ThrottlingMaxActiveJobCountExceeded"},
	{500, 500001, "ServerError"},
	{503, 503001, "ServiceUnavailable"},
	{503, 0, "ServerBusy"},
	{504, 504101, "GatewayTimeout"},
}

var (
	argumentInvalid    = code{400, 400004, "ArgumentInvalid"}
	unauthorizedAccess = code{401, 401002, "IotHubUnauthorizedAccess"}
	deviceNotFound     = code{404, 404001, "DeviceNotFound"}
	preconditionFailed = code{412, 412001, "PreconditionFailed"}
)

// codeNamed returns the code called name.
func codeNamed(name string) (code, bool) {
	for _, c := range codes {
		if c.name == name {
			return c, true
		}
	}
	return code{}, false
}

// A refusal is an error that the hub answers with.
type refusal struct {
	code code
	text string
}

func (r *refusal) Error() string { return r.code.name + ": " + r.text }

// refuse returns the refusal with the code called name, which must be known.
func refuse(name, format string, args ...any) *refusal {
	c, ok := codeNamed(name)
	if !ok {
		panic("emulator: no code " + name)
	}
	return &refusal{code: c, text: fmt.Sprintf(format, args...)}
}

// Envelope1 is the body of most refusals.
type envelope1 struct {
	Message          string
	ExceptionMessage string
}

// Envelope2 is the body on newer paths.
type envelope2 struct {
	ErrorCode    int     `json:"errorCode"`
	Message      string  `json:"message"`
	TrackingID   string  `json:"trackingId"`
	TimestampUTC string  `json:"timestampUtc"`
	Info         *string `json:"info"`
}

// answer writes r in the envelope of the path it is about.
func (r *refusal) answer(path, tracking string, now time.Time) *answer {
	older := envelope1{
		Message:          "ErrorCode:" + r.code.name + ";" + r.text,
		ExceptionMessage: fmt.Sprintf("Tracking ID:%s-G:10-TimeStamp:%s", tracking, now.UTC().Format("01/02/2006 15:04:05")),
	}
	body := marshal(older)
	if r.code.status != 401 && isNewerPath(path) {
		body = marshal(envelope2{
			ErrorCode: r.code.number, Message: r.text, TimestampUTC: stamp(now),
			TrackingID: fmt.Sprintf("%s-G2:-TimeStamp:%s", tracking, stamp(now)),
		})
	}
	if r.isNested(path) {
		older.Message, older.ExceptionMessage = string(body), ""
		body = marshal(older)
	}
	a := newAnswer(r.code.status, body)
	a.header["iothub-errorcode"] = []string{r.code.name}
	if r.code.status == 429 {
		a.header.Set("Connection", "close") // and no Retry-After, as observed
	}
	return a
}

// isNested reports whether r on path comes as the newer envelope in the older
// one's Message, which was observed of methods on devices that are not online.
// A device that does not answer in time is inferred to be alike.
func (r *refusal) isNested(path string) bool {
	return strings.HasSuffix(path, "/methods") && (r.code.number == 404103 || r.code.number == 504101)
}

// isNewerPath reports whether refusals on path have the newer envelope: module
// identities, methods and digital twins.
func isNewerPath(path string) bool {
	return strings.HasPrefix(path, "/digitaltwins/") ||
		strings.HasSuffix(path, "/methods") ||
		strings.HasPrefix(path, "/devices/") && strings.Contains(path, "/modules")
}
