package emulator

import (
	"strings"
	"time"
)

var configurationRoutes = []route{
	{"GET", "/configurations", "configurations/read", (*hub).listConfigurations},
	{"GET", "/configurations/*", "configurations/read", (*hub).getConfiguration},
	{"PUT", "/configurations/*", "configurations/write", (*hub).putConfiguration},
	{"DELETE", "/configurations/*", "configurations/delete", (*hub).deleteConfiguration},
	{"POST", "/configurations/testQueries", "configurations/testQueries/action", (*hub).testQueries},
	{"POST", "/devices/*/applyConfigurationContent", "configurations/applyToEdgeDevice/action", (*hub).applyContent},
}

// listConfigurations answers with all of them: the hub ignores "top".
func (h *hub) listConfigurations(*call) (*answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	bodies := []configurationBody{}
	for _, c := range h.configurations.all() {
		bodies = append(bodies, c.body)
	}
	return reply(bodies), nil
}

func (h *hub) getConfiguration(c *call) (*answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	found, err := h.configuration(c.ids[0])
	if err != nil {
		return nil, err
	}
	return found.answer(), nil
}

// putConfiguration creates without If-Match and updates with it.
func (h *hub) putConfiguration(c *call) (*answer, error) {
	wanted, err := readConfiguration(c.ids[0], c.body)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	put := h.createConfiguration
	if strings.Trim(c.ifMatch, `"`) != "" {
		put = h.updateConfiguration
	}
	stored, err := put(c, wanted)
	if err != nil {
		return nil, err
	}
	h.configurations.byID[stored.body.ID] = stored
	h.store.touch(keptConfigurations, stored.body.ID)
	h.evaluateAt(c.now)
	return stored.answer(), nil
}

func (h *hub) createConfiguration(c *call, wanted *configuration) (*configuration, error) {
	if h.configurations.byID[wanted.body.ID] != nil {
		return nil, alreadyExists(wanted.body.ID)
	}
	return h.addConfiguration(wanted, c.now)
}

// addConfiguration returns wanted as a new one if there is room for it.
func (h *hub) addConfiguration(wanted *configuration, now time.Time) (*configuration, error) {
	if n, limit := len(h.configurations.byID), h.limits.configurations; n >= limit {
		return nil, refuse("ConfigurationCountLimitExceeded", "There are %d configurations, the hub takes %d.", n, limit)
	}
	h.configurations.born++
	return wanted.create(h.configurations.born, now), nil
}

func (h *hub) updateConfiguration(c *call, wanted *configuration) (*configuration, error) {
	old, err := h.configuration(wanted.body.ID)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(c.ifMatch, `"`) && c.ifMatch != "*" {
		return nil, alreadyExists(wanted.body.ID) // misleading, but so it was observed
	}
	if err := old.precondition(c.ifMatch); err != nil {
		return nil, err
	}
	return old.update(wanted, c.now)
}

func alreadyExists(id string) error {
	return refuse("ConfigurationAlreadyExists", "A configuration with ID '%s' is already registered.", id)
}

func (c *configuration) precondition(ifMatch string) error {
	if meets(ifMatch, c.body.ETag) {
		return nil
	}
	return refuse("PreconditionFailed", "ETag mismatch for configuration ID '%s'", c.body.ID)
}

// deleteConfiguration leaves what it applied in the twins, as observed.
func (h *hub) deleteConfiguration(c *call) (*answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	old, err := h.configuration(c.ids[0])
	if err != nil {
		return nil, err
	}
	if err := old.precondition(c.ifMatch); err != nil {
		return nil, err
	}
	delete(h.configurations.byID, old.body.ID)
	h.store.touch(keptConfigurations, old.body.ID)
	h.evaluateAt(c.now)
	return newAnswer(204, nil), nil
}

// configuration returns the one called id. The caller holds the lock.
func (h *hub) configuration(id string) (*configuration, error) {
	c := h.configurations.byID[id]
	if c == nil {
		return nil, refuse("ConfigurationNotFound", "Configuration with ID '%s' not found.", id)
	}
	return c, nil
}
