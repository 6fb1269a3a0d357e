package hub

// The limits of digital twins are not in the documentation's table: they are
// taken to count as twins and methods, which they are underneath.
var (
	getDigitalTwin = &operation{
		ids: []string{"DigitalTwin_GetDigitalTwin"}, name: "read digital twin", span: "DigitalTwinClient.Get",
		class: TwinReads, limit: itemLimit, action: actions + "twins/read", role: dataReader,
	}
	updateDigitalTwin = &operation{
		ids: []string{"DigitalTwin_UpdateDigitalTwin"}, name: "patch digital twin", span: "DigitalTwinClient.Update", effect: writes,
		class: TwinUpdates, limit: itemLimit, action: actions + "twins/write", role: twinContributor,
	}
	invokeCommand = &operation{
		ids: []string{"DigitalTwin_InvokeRootLevelCommand"}, name: "invoke command", span: "DigitalTwinClient.InvokeCommand", effect: acts,
		class: DirectMethods, limit: itemLimit, action: actions + "directMethods/invoke/action", role: dataContributor,
	}
	invokeComponentCommand = &operation{
		ids: []string{"DigitalTwin_InvokeComponentCommand"}, name: "invoke component command", span: "DigitalTwinClient.InvokeComponentCommand", effect: acts,
		class: DirectMethods, limit: itemLimit, action: actions + "directMethods/invoke/action", role: dataContributor,
	}
)

func digitalTwinOperations() []*operation {
	return []*operation{getDigitalTwin, updateDigitalTwin, invokeCommand, invokeComponentCommand}
}
