package hub

var (
	getTwin = &operation{
		ids: []string{"Devices_GetTwin", "Modules_GetTwin"}, name: "read twin", span: "RegistryClient.GetTwin",
		class: TwinReads, limit: itemLimit, action: actions + "twins/read", role: dataReader,
	}
	updateTwin = &operation{
		ids: []string{"Devices_UpdateTwin", "Modules_UpdateTwin"}, name: "patch twin", span: "RegistryClient.UpdateTwin", effect: writes,
		class: TwinUpdates, limit: itemLimit, action: actions + "twins/write", role: twinContributor,
	}
	replaceTwin = &operation{
		ids: []string{"Devices_ReplaceTwin", "Modules_ReplaceTwin"}, name: "replace twin", span: "RegistryClient.ReplaceTwin", effect: writes,
		class: TwinUpdates, limit: itemLimit, action: actions + "twins/write", role: twinContributor,
	}
	queryTwins = &operation{
		ids: []string{"Query_GetTwins"}, name: "query twins", span: "RegistryClient.NewQueryPager",
		class: Queries, limit: pageLimit, action: actions + "twins/read", role: dataReader,
	}
	invokeMethod = &operation{
		ids: []string{"Devices_InvokeMethod", "Modules_InvokeMethod"}, name: "invoke method", span: "RegistryClient.InvokeMethod", effect: acts,
		class: DirectMethods, limit: itemLimit, action: actions + "directMethods/invoke/action", role: dataContributor,
	}
)

func twinOperations() []*operation {
	return []*operation{getTwin, updateTwin, replaceTwin, queryTwins, invokeMethod}
}
