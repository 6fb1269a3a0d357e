package hub

// An operation is something the service API can do.
type operation struct {
	name   string // in messages, such as "patch twin"
	span   string // in traces, such as "RegistryClient.UpdateTwin"
	write  bool   // whether it changes anything
	limit  int64  // bytes of the answer that are read
	action string // the permission it needs
	role   string // the narrowest built-in role that grants it
}

const (
	itemLimit = 1 << 20  // of one document: a twin has at most some 100 KB
	pageLimit = 64 << 20 // of a page of documents
)

// The built-in roles. Owner and Contributor of the subscription grant none of
// the actions on data.
const (
	dataReader      = "IoT Hub Data Reader"
	twinContributor = "IoT Hub Twin Contributor"
	dataContributor = "IoT Hub Data Contributor"
)

var (
	getTwin = &operation{
		name: "read twin", span: "RegistryClient.GetTwin", limit: itemLimit,
		action: "Microsoft.Devices/IotHubs/twins/read", role: dataReader,
	}
	updateTwin = &operation{
		name: "patch twin", span: "RegistryClient.UpdateTwin", write: true, limit: itemLimit,
		action: "Microsoft.Devices/IotHubs/twins/write", role: twinContributor,
	}
	replaceTwin = &operation{
		name: "replace twin", span: "RegistryClient.ReplaceTwin", write: true, limit: itemLimit,
		action: "Microsoft.Devices/IotHubs/twins/write", role: twinContributor,
	}
	queryTwins = &operation{
		name: "query twins", span: "RegistryClient.NewQueryPager", limit: pageLimit,
		action: "Microsoft.Devices/IotHubs/twins/read", role: dataReader,
	}
	getConfiguration = &operation{
		name: "read configuration", span: "ConfigurationClient.Get", limit: itemLimit,
		action: "Microsoft.Devices/IotHubs/configurations/read", role: dataReader,
	}
	listConfigurations = &operation{
		name: "list configurations", span: "ConfigurationClient.NewListPager", limit: pageLimit,
		action: "Microsoft.Devices/IotHubs/configurations/read", role: dataReader,
	}
	putConfiguration = &operation{
		name: "write configuration", span: "ConfigurationClient.CreateOrUpdate", write: true, limit: itemLimit,
		action: "Microsoft.Devices/IotHubs/configurations/write", role: dataContributor,
	}
	deleteConfiguration = &operation{
		name: "delete configuration", span: "ConfigurationClient.Delete", write: true, limit: itemLimit,
		action: "Microsoft.Devices/IotHubs/configurations/delete", role: dataContributor,
	}
)
