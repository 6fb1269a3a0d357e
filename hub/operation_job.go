package hub

var (
	getScheduledJob = &operation{
		ids: []string{"Jobs_GetScheduledJob"}, name: "read job", span: "JobClient.GetScheduledJob",
		class: JobOperations, limit: itemLimit, action: actions + "jobs/read", role: dataReader,
	}
	putScheduledJob = &operation{
		ids: []string{"Jobs_CreateScheduledJob"}, name: "create job", span: "JobClient.CreateScheduledJob", effect: writes,
		class: JobOperations, limit: itemLimit, action: actions + "jobs/write", role: dataContributor,
	}
	cancelScheduledJob = &operation{
		ids: []string{"Jobs_CancelScheduledJob"}, name: "cancel job", span: "JobClient.CancelScheduledJob", effect: writes,
		class: JobOperations, limit: itemLimit, action: actions + "jobs/delete", role: dataContributor,
	}
	queryScheduledJobs = &operation{
		ids: []string{"Jobs_QueryScheduledJobs"}, name: "query jobs", span: "JobClient.NewQueryScheduledJobsPager",
		class: JobOperations, limit: pageLimit, action: actions + "jobs/read", role: dataReader,
	}
	// createTransfer acts, because the hub chooses the job's id.
	createTransfer = &operation{
		ids: []string{"Jobs_CreateImportExportJob"}, name: "create import or export job", span: "JobClient.CreateJob", effect: acts,
		class: JobOperations, limit: itemLimit, action: actions + "jobs/write", role: dataContributor,
	}
	getTransfer = &operation{
		ids: []string{"Jobs_GetImportExportJob"}, name: "read import or export job", span: "JobClient.GetJob",
		class: JobOperations, limit: itemLimit, action: actions + "jobs/read", role: dataReader,
	}
	listTransfers = &operation{
		ids: []string{"Jobs_GetImportExportJobs"}, name: "list import and export jobs", span: "JobClient.NewListJobsPager",
		class: JobOperations, limit: pageLimit, action: actions + "jobs/read", role: dataReader,
	}
	cancelTransfer = &operation{
		ids: []string{"Jobs_CancelImportExportJob"}, name: "cancel import or export job", span: "JobClient.CancelJob", effect: writes,
		class: JobOperations, limit: itemLimit, action: actions + "jobs/delete", role: dataContributor,
	}
)

func jobOperations() []*operation {
	return []*operation{
		getScheduledJob, putScheduledJob, cancelScheduledJob, queryScheduledJobs,
		createTransfer, getTransfer, listTransfers, cancelTransfer,
	}
}
