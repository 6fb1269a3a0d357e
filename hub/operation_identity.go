package hub

var (
	getDevice = &operation{
		ids: []string{"Devices_GetIdentity"}, name: "read device", span: "RegistryClient.GetDevice",
		class: RegistryOperations, limit: itemLimit, action: actions + "devices/read", role: dataReader,
	}
	listDevices = &operation{
		ids: []string{"Devices_GetDevices"}, name: "list devices", span: "RegistryClient.NewListDevicesPager",
		class: RegistryOperations, limit: pageLimit, action: actions + "devices/read", role: dataReader,
	}
	putDevice = &operation{
		ids: []string{"Devices_CreateOrUpdateIdentity"}, name: "write device", span: "RegistryClient.CreateOrUpdateDevice", effect: writes,
		class: RegistryOperations, limit: itemLimit, action: actions + "devices/write", role: registryContributor,
	}
	deleteDevice = &operation{
		ids: []string{"Devices_DeleteIdentity"}, name: "delete device", span: "RegistryClient.DeleteDevice", effect: writes,
		class: RegistryOperations, limit: itemLimit, action: actions + "devices/delete", role: registryContributor,
	}
	getModule = &operation{
		ids: []string{"Modules_GetIdentity"}, name: "read module", span: "RegistryClient.GetModule",
		class: RegistryOperations, limit: itemLimit, action: actions + "devices/read", role: dataReader,
	}
	listModules = &operation{
		ids: []string{"Modules_GetModulesOnDevice"}, name: "list modules", span: "RegistryClient.NewListModulesPager",
		class: RegistryOperations, limit: pageLimit, action: actions + "devices/read", role: dataReader,
	}
	putModule = &operation{
		ids: []string{"Modules_CreateOrUpdateIdentity"}, name: "write module", span: "RegistryClient.CreateOrUpdateModule", effect: writes,
		class: RegistryOperations, limit: itemLimit, action: actions + "devices/write", role: registryContributor,
	}
	deleteModule = &operation{
		ids: []string{"Modules_DeleteIdentity"}, name: "delete module", span: "RegistryClient.DeleteModule", effect: writes,
		class: RegistryOperations, limit: itemLimit, action: actions + "devices/delete", role: registryContributor,
	}
	// updateRegistry acts, because a creation that is repeated fails, and what
	// the first answer said of each item is lost.
	updateRegistry = &operation{
		ids: []string{"BulkRegistry_UpdateRegistry"}, name: "update registry", span: "RegistryClient.UpdateRegistry", effect: acts,
		class: RegistryOperations, limit: itemLimit, action: actions + "devices/write and " + actions + "devices/delete", role: registryContributor,
	}
	// The limits of statistics are documented nowhere: they are taken to count as
	// operations of the registry.
	getRegistryStatistics = &operation{
		ids: []string{"Statistics_GetDeviceStatistics"}, name: "read registry statistics", span: "RegistryClient.GetRegistryStatistics",
		class: RegistryOperations, limit: itemLimit, action: actions + "statistics/read", role: dataReader,
	}
	getServiceStatistics = &operation{
		ids: []string{"Statistics_GetServiceStatistics"}, name: "read service statistics", span: "RegistryClient.GetServiceStatistics",
		class: RegistryOperations, limit: itemLimit, action: actions + "statistics/read", role: dataReader,
	}
)

func identityOperations() []*operation {
	return []*operation{
		getDevice, listDevices, putDevice, deleteDevice, getModule, listModules, putModule, deleteModule,
		updateRegistry, getRegistryStatistics, getServiceStatistics,
	}
}
