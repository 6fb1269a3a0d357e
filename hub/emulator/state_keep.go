package emulator

type state struct{}
type kept string

const (
	keptJobs      kept = "jobs"
	keptTasks     kept = "tasks"
	keptTransfers kept = "transfers"
)

func (s *state) touch(kept, string) {}
