package emulator

import (
	"strings"
	"time"

	"github.com/twinrules/twinrules/hub/twin"
)

// jobStep is how long a job stays in a state that it passes through. On a hub
// that is some seconds; how many is not known.
const jobStep = time.Second

// Jobs are the scheduled ones, by their ids. They are guarded by the hub.
type jobs struct {
	byID map[string]*job
	list []*job // in the order of their creation
}

func (js *jobs) add(j *job) {
	j.Born = 1
	if n := len(js.list); n > 0 {
		j.Born = js.list[n-1].Born + 1
	}
	js.byID[j.ID] = j
	js.list = append(js.list, j)
}

// active counts those that hold a slot.
func (js *jobs) active() (n int) {
	for _, j := range js.list {
		if j.active() {
			n++
		}
	}
	return n
}

// forgetJobs removes what ended too long ago.
func (h *hub) forgetJobs(now time.Time) {
	var kept []*job
	for _, j := range h.jobs.list {
		if j.active() || now.Sub(j.Ended) < jobHistory {
			kept = append(kept, j)
			continue
		}
		delete(h.jobs.byID, j.ID)
		h.store.touch(keptJobs, j.ID)
		for _, t := range j.tasks {
			h.store.touch(keptTasks, t.key())
		}
	}
	h.jobs.list = kept
}

// schedule plans the next step of a job that is queued or scheduled: queued,
// scheduled, running. The caller holds the lock.
func (h *hub) schedule(j *job) {
	if j.Status == queued {
		h.plan(j, j.Created.Add(jobStep), queued, func(now time.Time) {
			h.setJob(j, scheduled)
			h.schedule(j)
		})
		return
	}
	when := j.Created.Add(2 * jobStep)
	if j.Start.After(when) {
		when = j.Start
	}
	h.plan(j, when, scheduled, func(now time.Time) { h.runJob(j, now) })
}

// plan lets do happen at when unless j has left its status by then.
func (h *hub) plan(j *job, when time.Time, status string, do func(now time.Time)) {
	h.agenda.plan(when, func(now time.Time) {
		if j.Status == status {
			do(now)
		}
	})
}

func (h *hub) setJob(j *job, status string) {
	j.Status = status
	h.store.touch(keptJobs, j.ID)
}

func (h *hub) endJob(j *job, status, failure string, now time.Time) {
	j.Ended, j.Failure, j.Cancelling = now, failure, false
	h.setJob(j, status)
}

// runJob begins a job: who meets the condition now is its target, as the index
// of queries sees them.
func (h *hub) runJob(j *job, now time.Time) {
	target, err := readJobTarget(j.Condition)
	if err != nil {
		h.endJob(j, failed, "The query condition is invalid: "+err.Error(), now)
		return
	}
	j.Ran = now
	h.setJob(j, running)
	for t := range twinsOf(h.index.all()) {
		if target.includes(t) {
			t := &task{Job: j.ID, Ref: t.Ref, Status: pending, Created: now}
			j.addTask(t)
			h.store.touch(keptTasks, t.key())
		}
	}
	h.work(j, now)
}

// work plans the tasks that are pending, as quickly as the tier lets jobs go,
// and the end of the time that the job has. The caller holds the lock.
func (h *hub) work(j *job, now time.Time) {
	for _, t := range j.tasks {
		if t.Status == pending {
			h.plan(j, h.paced(now.Add(jobStep)), running, func(now time.Time) { h.doTask(j, t, now) })
		}
	}
	h.plan(j, j.Ran.Add(j.time()), running, func(now time.Time) { h.expire(j, now) })
	h.plan(j, now.Add(jobStep), running, func(now time.Time) { h.settleJob(j, now) })
}

// time is how long j may run. No job runs longer than jobs are remembered.
func (j *job) time() time.Duration {
	return time.Duration(min(j.Seconds, int64(jobHistory/time.Second))) * time.Second
}

// paced returns when the next operation on a device may be, not before when.
func (h *hub) paced(when time.Time) time.Time {
	throttle := h.shaping.throttles[deviceJobs]
	if throttle == nil {
		return when
	}
	when, _ = throttle.admit(when, 1, jobHorizon)
	return when
}

func (h *hub) doTask(j *job, t *task, now time.Time) {
	t.Status, t.Began = running, now
	h.store.touch(keptTasks, t.key())
	jobKindNamed(j.Kind).do(h, j, t, now)
}

// endTask ends a task that is running, and its job with the last one. A task
// whose job is over stays as it is. The caller holds the lock.
func (h *hub) endTask(j *job, t *task, failure *taskError, now time.Time) {
	if t.Status != running {
		return
	}
	j.left--
	t.Status, t.Ended, t.Error = completed, now, failure
	if failure != nil {
		t.Status = failed
	}
	h.store.touch(keptTasks, t.key())
	h.settleJob(j, now)
}

// settleJob completes a job that has nothing left to do, however its tasks ended.
func (h *hub) settleJob(j *job, now time.Time) {
	if j.Status == running && j.left == 0 {
		h.endJob(j, completed, "", now)
	}
}

// expire ends a job whose time is over. That the hub calls it failed, and what
// was not done as well, is a guess.
func (h *hub) expire(j *job, now time.Time) {
	const why = "The job took longer than maxExecutionTimeInSeconds."
	j.left = 0
	for _, t := range j.tasks {
		if t.Status == pending || t.Status == running {
			t.Status, t.Ended, t.Error = failed, now, &taskError{"JobCancelled", why}
			h.store.touch(keptTasks, t.key())
		}
	}
	h.endJob(j, failed, why, now)
}

// cancel ends a job that has not begun. It stays as it is for a moment, as was
// observed, and keeps its slot so long.
func (h *hub) cancel(j *job, now time.Time) {
	j.Cancelling = true
	h.store.touch(keptJobs, j.ID)
	h.agenda.plan(now.Add(jobStep), func(now time.Time) {
		if j.Cancelling {
			h.endJob(j, cancelled, "", now)
		}
	})
}

// resumeJob goes on with a job that was read from the state. A method that was
// being called is not called again, because that could be once too often.
func (h *hub) resumeJob(j *job, now time.Time) {
	switch {
	case j.Cancelling:
		h.cancel(j, now)
	case j.Status == queued || j.Status == scheduled:
		h.schedule(j)
	case j.Status == running:
		for _, t := range j.tasks {
			h.endTask(j, t, &taskError{"ServerError", "The hub was started anew."}, now)
		}
		h.work(j, now)
	}
}

// key names a task among all of them.
func (t *task) key() string { return t.Job + " " + refKey(t.Ref) }

// refKey names a twin in a store. No id has a "/".
func refKey(ref twin.Ref) string {
	if ref.Module == "" {
		return ref.Device
	}
	return ref.Device + "/" + ref.Module
}

func refOf(key string) twin.Ref {
	device, module, _ := strings.Cut(key, "/")
	return twin.Ref{Device: device, Module: module}
}
