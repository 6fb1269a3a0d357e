package emulator

// transferRoutes are those of import and export jobs.
var transferRoutes = []route{
	{"POST", "/jobs/create", "jobs/write", (*hub).createTransfer},
	{"GET", "/jobs", "jobs/read", (*hub).listTransfers},
	{"GET", "/jobs/*", "jobs/read", (*hub).getTransfer},
	{"DELETE", "/jobs/*", "jobs/delete", (*hub).cancelTransfer},
}

// createTransfer takes an import or export job if none is under way.
func (h *hub) createTransfer(c *call) (*answer, error) {
	t, err := readTransfer(c.body)
	if err != nil {
		return nil, err
	}
	if err := h.checkContainers(h.ctx, t, c.now); err != nil {
		return nil, err
	}
	t.ID, t.Start = h.dice.uuid(), c.now
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forgetTransfers(c.now)
	for _, other := range h.transfers.list {
		if other.active() {
			return nil, refuse("JobQuotaExceeded", "Another import or export job, '%s', is %s.", other.ID, other.Status)
		}
	}
	if n := len(h.transfers.list); n > 0 {
		t.Born = h.transfers.list[n-1].Born + 1
	}
	h.transfers.list = append(h.transfers.list, t)
	h.store.touch(keptTransfers, t.ID)
	h.beginTransfer(t)
	return reply(t.body()), nil
}

// listTransfers answers with all of the last 30 days, in the order of creation.
func (h *hub) listTransfers(c *call) (*answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forgetTransfers(c.now)
	bodies := []transferBody{}
	for _, t := range h.transfers.list {
		bodies = append(bodies, t.body())
	}
	return reply(bodies), nil
}

func (h *hub) getTransfer(c *call) (*answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forgetTransfers(c.now)
	t := h.transfers.find(c.ids[0])
	if t == nil {
		return nil, refuse("JobNotFound", "The job '%s' was not found.", c.ids[0])
	}
	return reply(t.body()), nil
}

// cancelTransfer answers 204 also for a job that has ended, which it leaves as it
// is. For one that is not there a hub was seen to fail, and so does this one.
func (h *hub) cancelTransfer(c *call) (*answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.transfers.find(c.ids[0])
	if t == nil {
		return nil, refuse("ServerError", "The job '%s' could not be cancelled.", c.ids[0])
	}
	if t.active() {
		h.endTransfer(t, cancelled, "", c.now)
	}
	return newAnswer(204, nil), nil
}
