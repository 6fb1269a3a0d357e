package hub

import (
	"errors"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

// A Code is the hub's name for an error, as in [Error.Code] and in the ErrorCode
// of an [azcore.ResponseError].
type Code string

// Codes that programs ask for. There are more: what else a hub sends is passed on.
const (
	CodeArgumentInvalid                           Code = "ArgumentInvalid"
	CodeArgumentNull                              Code = "ArgumentNull"
	CodeBlobContainerValidationError              Code = "BlobContainerValidationError"
	CodeCannotModifyImmutableConfigurationContent Code = "CannotModifyImmutableConfigurationContent"
	CodeConfigurationAlreadyExists                Code = "ConfigurationAlreadyExists"
	CodeConfigurationNotFound                     Code = "ConfigurationNotFound"
	CodeDeviceAlreadyExists                       Code = "DeviceAlreadyExists"
	CodeDeviceMessageLockLost                     Code = "DeviceMessageLockLost"
	CodeDeviceNotFound                            Code = "DeviceNotFound"
	CodeDeviceNotOnline                           Code = "DeviceNotOnline"
	CodeGatewayTimeout                            Code = "GatewayTimeout"
	CodeInvalidConfigurationContent               Code = "InvalidConfigurationContent"
	CodeInvalidConfigurationTargetCondition       Code = "InvalidConfigurationTargetCondition"
	CodeInvalidProtocolVersion                    Code = "InvalidProtocolVersion"
	CodeIotHubFormatError                         Code = "IotHubFormatError"
	CodeIotHubNotFound                            Code = "IotHubNotFound"
	CodeIotHubQuotaExceeded                       Code = "IotHubQuotaExceeded"
	CodeIotHubSuspended                           Code = "IotHubSuspended"
	CodeIotHubUnauthorized                        Code = "IotHubUnauthorized"
	CodeIotHubUnauthorizedAccess                  Code = "IotHubUnauthorizedAccess"
	CodeJobAlreadyExists                          Code = "JobAlreadyExists"
	CodeJobNotFound                               Code = "JobNotFound"
	CodeJobQuotaExceeded                          Code = "JobQuotaExceeded"
	CodeModuleAlreadyExistsOnDevice               Code = "ModuleAlreadyExistsOnDevice"
	CodeModuleNotFound                            Code = "ModuleNotFound"
	CodeOperationNotAllowedInCurrentState         Code = "OperationNotAllowedInCurrentState"
	CodeOperationNotAvailableInCurrentTier        Code = "OperationNotAvailableInCurrentTier"
	CodePreconditionFailed                        Code = "PreconditionFailed"
	CodeServerError                               Code = "ServerError"
	CodeServiceUnavailable                        Code = "ServiceUnavailable"
	CodeThrottlingBacklogTimeout                  Code = "ThrottlingBacklogTimeout"
	CodeThrottlingException                       Code = "ThrottlingException"
	CodeThrottlingMaxActiveJobCountExceeded       Code = "ThrottlingMaxActiveJobCountExceeded"
	CodeTooManyDevices                            Code = "TooManyDevices"
)

// HasCode reports whether err is a refusal of the hub with one of the codes.
func HasCode(err error, codes ...Code) bool {
	if e, ok := errors.AsType[*Error](err); ok && e.Code != "" {
		return slices.Contains(codes, Code(e.Code))
	}
	sdk, ok := errors.AsType[*azcore.ResponseError](err)
	return ok && slices.Contains(codes, Code(sdk.ErrorCode))
}

// codeName returns the name of a numeric code, for the envelope that has no
// names; a number that nobody has documented stays a number.
func codeName(number string) string {
	for _, c := range []struct {
		number string
		code   Code
	}{
		{"400001", CodeInvalidProtocolVersion}, {"400003", "InvalidOperation"}, {"400004", CodeArgumentInvalid},
		{"400005", CodeArgumentNull}, {"400006", CodeIotHubFormatError}, {"400008", CodeBlobContainerValidationError},
		{"400011", "DeviceDefinedMultipleTimes"}, {"400013", "BulkRegistryOperationFailure"}, {"400301", "CannotRegisterModuleToModule"},
		{"401001", CodeIotHubNotFound}, {"401002", CodeIotHubUnauthorizedAccess}, {"401003", CodeIotHubUnauthorized},
		{"403001", CodeIotHubSuspended}, {"403002", CodeIotHubQuotaExceeded}, {"403003", CodeJobQuotaExceeded},
		{"403004", "DeviceMaximumQueueDepthExceeded"},
		{"404001", CodeDeviceNotFound}, {"404002", CodeJobNotFound}, {"404010", CodeModuleNotFound}, {"404103", CodeDeviceNotOnline},
		{"409001", CodeDeviceAlreadyExists}, {"409301", CodeModuleAlreadyExistsOnDevice},
		{"412001", CodePreconditionFailed}, {"412002", CodeDeviceMessageLockLost},
		{"413001", "MessageTooLarge"}, {"413002", CodeTooManyDevices}, {"413003", "TooManyModulesOnDevice"},
		{"429000", "GenericTooManyRequests"}, {"429001", CodeThrottlingException}, {"429002", "ThrottleBacklogLimitExceeded"},
		{"429003", CodeThrottlingBacklogTimeout}, {"429004", CodeThrottlingMaxActiveJobCountExceeded}, {"429005", "DeviceThrottlingLimitExceeded"},
		{"500001", CodeServerError}, {"500002", "JobCancelled"}, {"500009", "InvalidThrottleParameter"},
		{"503001", CodeServiceUnavailable}, {"503003", "PartitionNotFound"}, {"504101", CodeGatewayTimeout},
	} {
		if c.number == number {
			return string(c.code)
		}
	}
	return number
}
