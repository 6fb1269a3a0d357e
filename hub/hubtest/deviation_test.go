package hubtest_test

import "strings"

// A deviation is a place where traffic is not as Microsoft describes it, because
// hubs or clients are known not to be.
type deviation struct {
	operations string // their ids, with spaces between
	place      string // in the request or the answer: Twin.tags.* are the members of tags
	seen       string
	evidence   string // labels of [hubtest.Labels]; a note may follow
}

func (d deviation) findings() (list []finding) {
	for _, id := range strings.Fields(d.operations) {
		list = append(list, finding{id, d.place, d.seen})
	}
	return list
}

// Operations that show the same documents.
const (
	deviceTwins    = "Devices_GetTwin Devices_ReplaceTwin Devices_UpdateTwin "
	moduleTwins    = "Modules_GetTwin Modules_ReplaceTwin Modules_UpdateTwin "
	allTwins       = deviceTwins + moduleTwins + "Query_GetTwins "
	devices        = "Devices_CreateOrUpdateIdentity Devices_GetIdentity "
	modules        = "Modules_CreateOrUpdateIdentity Modules_GetIdentity Modules_GetModulesOnDevice "
	configurations = "Configuration_CreateOrUpdate Configuration_Get Configuration_GetConfigurations "
	scheduledJobs  = "Jobs_CancelScheduledJob Jobs_CreateScheduledJob Jobs_GetScheduledJob "
	transfers      = "Jobs_CreateImportExportJob Jobs_GetImportExportJob Jobs_GetImportExportJobs "

	aMember = "a member that is not described"
)

// deviations lists every one there is. A description of this kind writes "an
// object" where it means anything, and knows no null.
var deviations = []deviation{
	// What a hub answers.
	{allTwins + scheduledJobs, "answer Twin.tags.*", "no object", "REC: tags are any JSON"},
	{scheduledJobs, "answer Twin.tags.*", "null", "LIVE: a job shows its patch, where null deletes"},
	{allTwins, "answer TwinProperties.desired.*", "no object", "REC: properties are any JSON, $version is a number"},
	{allTwins, "answer TwinProperties.reported.*", "no object", "REC: properties are any JSON, $version is a number"},
	{allTwins, "answer Twin.modelId", aMember, "REC"},
	{
		devices + "Devices_GetDevices " + modules + allTwins,
		"answer X509Thumbprint.primaryThumbprint", "null", "REC: what is not used is null",
	},
	{
		devices + "Devices_GetDevices " + modules + allTwins,
		"answer X509Thumbprint.secondaryThumbprint", "null", "REC: what is not used is null",
	},
	{devices + "Modules_GetModulesOnDevice", "answer SymmetricKey.primaryKey", "null", "REC: what is not used is null"},
	{devices + "Modules_GetModulesOnDevice", "answer SymmetricKey.secondaryKey", "null", "REC: what is not used is null"},
	{devices + "Devices_GetDevices", "answer Device.statusReason", "null", "REC: what is not used is null"},
	{modules, "answer Module.managedBy", "null", "REC: what is not used is null"},
	{"Devices_CreateOrUpdateIdentity", "answer Device.connectionStateUpdatedTime", "no date-time", "REC: the year one without Z"},
	{"Devices_CreateOrUpdateIdentity", "answer Device.statusUpdatedTime", "no date-time", "REC: the year one without Z"},
	{"Devices_CreateOrUpdateIdentity", "answer Device.lastActivityTime", "no date-time", "REC: the year one without Z"},
	{"BulkRegistry_UpdateRegistry", "answer DeviceRegistryOperationError.errorCode", "no string", "SDK: a number, as C# and a Go client read it"},
	{"BulkRegistry_UpdateRegistry", "answer DeviceRegistryOperationError.moduleId", "null", "REC: what is not used is null"},
	{"Query_GetTwins", "answer body", "rows of Raw", "REC; SDK: objects of columns"},
	{"Query_GetTwins", "answer body", "rows of DeviceJob", "DOC; SDK"},
	{"Query_GetTwins", "answer header x-ms-continuation", "none", "REC; INT: the last page has none"},
	{configurations, "answer Configuration.schemaVersion", "null", "LIVE; INT"},
	{configurations, "answer Configuration.labels", "null", "LIVE; INT"},
	{"Configuration_CreateOrUpdate Configuration_GetConfigurations", "answer ConfigurationContent.deviceContent.*", "no object", "LIVE; DOC: a path may have any JSON as value"},
	{"Configuration_CreateOrUpdate", "answer ConfigurationContent.modulesContent.*.*", "no object", "LIVE: a route is a text"},
	{"Configuration_TestQueries", "answer ConfigurationQueriesTestResponse.targetConditionError", "null", "LIVE: when there is none"},
	{"Jobs_QueryScheduledJobs", "answer QueryResult", "no object", "MEAS: a bare array, which Python's client cannot read"},
	{"Jobs_CreateScheduledJob Jobs_GetScheduledJob", "answer CloudToDeviceMethod.payload", "no object", "LIVE: an array of bytes"},
	{"Jobs_CreateScheduledJob Jobs_GetScheduledJob", "answer CloudToDeviceMethod.payload", "null", "INF: none is null"},
	{transfers, "answer JobProperties.useSecondaryStorageAsSource", aMember, "REC"},
	{"CloudToDeviceMessages_ReceiveFeedbackNotification", "answer body", "not described", "DOC; SDK: an array of records"},

	// What our client sends.
	{deviceTwins[len("Devices_GetTwin "):] + "Modules_ReplaceTwin Modules_UpdateTwin Jobs_CreateScheduledJob", "request Twin.tags.*", "no object", "REC: tags are any JSON"},
	{"Devices_UpdateTwin Jobs_CreateScheduledJob", "request Twin.tags.*", "null", "LIVE: null deletes"},
	{"Devices_UpdateTwin", "request TwinProperties.desired.*", "no object", "REC: properties are any JSON"},
	{"Devices_UpdateTwin", "request TwinProperties.desired.*", "null", "LIVE: null deletes"},
	{"BulkRegistry_UpdateRegistry", "request ExportImportDevice.tags.*", "no object", "REC: tags are any JSON"},
	{"BulkRegistry_UpdateRegistry", "request PropertyContainer.desired.*", "no object", "REC: properties are any JSON"},
	{"Devices_CreateOrUpdateIdentity Modules_CreateOrUpdateIdentity", "request X509Thumbprint.primaryThumbprint", "null", "REC: an identity goes back as it came"},
	{"Devices_CreateOrUpdateIdentity Modules_CreateOrUpdateIdentity", "request X509Thumbprint.secondaryThumbprint", "null", "REC: an identity goes back as it came"},
	{"Devices_CreateOrUpdateIdentity", "request SymmetricKey.secondaryKey", "null", "LIVE: one key alone, which is refused"},
	{"Devices_CreateOrUpdateIdentity", "request Device.connectionStateUpdatedTime", "no date-time", "INF: an identity goes back as it came"},
	{"Devices_CreateOrUpdateIdentity", "request Device.statusUpdatedTime", "no date-time", "INF: an identity goes back as it came"},
	{"Devices_CreateOrUpdateIdentity", "request Device.lastActivityTime", "no date-time", "INF: an identity goes back as it came"},
	{"Configuration_CreateOrUpdate Configuration_ApplyOnEdgeDevice", "request ConfigurationContent.deviceContent.*", "no object", "LIVE; DOC: a path may have any JSON as value"},
	{"Configuration_CreateOrUpdate", "request ConfigurationContent.moduleContent.*", "no object", "LIVE; DOC: a path may have any JSON as value"},
	{"Configuration_CreateOrUpdate", "request ConfigurationContent.modulesContent.*.*", "no object", "LIVE: a route is a text"},
	{"Devices_InvokeMethod Modules_InvokeMethod Jobs_CreateScheduledJob", "request CloudToDeviceMethod.payload", "null", "MEAS: none is null, as Node sends it"},
	{"DigitalTwin_InvokeRootLevelCommand", "request body", "no object", "SDK: any JSON"},
	{"DigitalTwin_InvokeRootLevelCommand DigitalTwin_InvokeComponentCommand", "request body", "null", "SDK: any JSON"},
	{"Jobs_QueryScheduledJobs", "request header X-Ms-Max-Item-Count", "not described", "MEAS: Node sends it"},
	{"Jobs_QueryScheduledJobs", "request header X-Ms-Continuation", "not described", "SDK"},
	{"Jobs_CreateImportExportJob", "request JobProperties.type", "another value", "INF: Permissions asks what is refused"},
	{"Jobs_CreateImportExportJob Devices_InvokeMethod Jobs_CancelScheduledJob", "request header If-Match", "not described", "INF: Permissions asks what cannot come about"},
}
