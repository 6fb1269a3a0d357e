package hub

var (
	// receiveFeedback acts: what is received is locked for a minute.
	receiveFeedback = &operation{
		ids: []string{"CloudToDeviceMessages_ReceiveFeedbackNotification"}, name: "receive feedback", span: "RuntimeClient.ReceiveFeedback", effect: acts,
		class: Messages, limit: itemLimit, action: actions + "cloudToDeviceMessages/feedback/action", role: dataContributor,
	}
	completeFeedback = &operation{
		ids: []string{"CloudToDeviceMessages_CompleteFeedbackNotification"}, name: "complete feedback", span: "RuntimeClient.CompleteFeedback", effect: acts,
		class: Messages, limit: itemLimit, action: actions + "cloudToDeviceMessages/feedback/action", role: dataContributor,
	}
	abandonFeedback = &operation{
		ids: []string{"CloudToDeviceMessages_AbandonFeedbackNotification"}, name: "abandon feedback", span: "RuntimeClient.AbandonFeedback", effect: acts,
		class: Messages, limit: itemLimit, action: actions + "cloudToDeviceMessages/feedback/action", role: dataContributor,
	}
	purgeCommands = &operation{
		ids: []string{"CloudToDeviceMessages_PurgeCloudToDeviceMessageQueue"}, name: "purge commands", span: "RuntimeClient.PurgeCommands", effect: acts,
		class: Messages, limit: itemLimit, action: actions + "cloudToDeviceMessages/queue/purge/action", role: dataContributor,
	}
)

func messageOperations() []*operation {
	return []*operation{receiveFeedback, completeFeedback, abandonFeedback, purgeCommands}
}
