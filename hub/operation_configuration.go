package hub

var (
	getConfiguration = &operation{
		ids: []string{"Configuration_Get"}, name: "read configuration", span: "ConfigurationClient.Get",
		class: ConfigurationOperations, limit: itemLimit, action: actions + "configurations/read", role: dataReader,
	}
	listConfigurations = &operation{
		ids: []string{"Configuration_GetConfigurations"}, name: "list configurations", span: "ConfigurationClient.NewListPager",
		class: ConfigurationOperations, limit: pageLimit, action: actions + "configurations/read", role: dataReader,
	}
	putConfiguration = &operation{
		ids: []string{"Configuration_CreateOrUpdate"}, name: "write configuration", span: "ConfigurationClient.CreateOrUpdate", effect: writes,
		class: ConfigurationOperations, limit: itemLimit, action: actions + "configurations/write", role: dataContributor,
	}
	deleteConfiguration = &operation{
		ids: []string{"Configuration_Delete"}, name: "delete configuration", span: "ConfigurationClient.Delete", effect: writes,
		class: ConfigurationOperations, limit: itemLimit, action: actions + "configurations/delete", role: dataContributor,
	}
	testQueries = &operation{
		ids: []string{"Configuration_TestQueries"}, name: "test queries", span: "ConfigurationClient.TestQueries",
		class: ConfigurationOperations, limit: itemLimit, action: actions + "configurations/testQueries/action", role: dataContributor,
	}
	applyOnEdge = &operation{
		ids: []string{"Configuration_ApplyOnEdgeDevice"}, name: "apply configuration on edge device", span: "ConfigurationClient.ApplyOnEdgeDevice", effect: writes,
		class: ConfigurationOperations, limit: itemLimit, action: actions + "configurations/applyToEdgeDevice/action", role: dataContributor,
	}
)

func configurationOperations() []*operation {
	return []*operation{getConfiguration, listConfigurations, putConfiguration, deleteConfiguration, testQueries, applyOnEdge}
}
