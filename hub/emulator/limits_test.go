package emulator_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/hub/emulator"
)

// TestFreeConfigurations fills a free hub, by requests and by an import.
func TestFreeConfigurations(t *testing.T) {
	_, c, clock, dir := transferHub(t, emulator.Options{Tier: "F1"})
	put := func(i int) *response {
		return c.do("PUT", fmt.Sprintf("/configurations/c%d", i), fmt.Sprintf(`{"id":"c%d","content":{"deviceContent":{}},"targetCondition":"","priority":1}`, i))
	}
	for i := range 9 {
		put(i).want(200, "")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	lines := `{"Id":"i1","Content":{"DeviceContent":{}},"TargetCondition":""}` + "\n" + `{"Id":"i2","Content":{"DeviceContent":{}},"TargetCondition":""}` + "\n"
	for name, text := range map[string]string{"devices.txt": "", "configurations.txt": lines} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c.transfer(clock, `{"type":"import","inputBlobContainerUri":"`+signed+`","outputBlobContainerUri":"`+signed+`","includeConfigurations":true}`).contains(`"completed"`)
	if got := read(t, dir, "importErrors.log"); strings.Count(got, "\n") != 1 || !strings.Contains(got, `"deviceId":"i2"`) {
		t.Errorf("got %s", got)
	}
	put(10).want(413, "ConfigurationCountLimitExceeded").contains("There are 10 configurations, the hub takes 10.")
}

// TestMaxIdentities fills a hub with devices and modules.
func TestMaxIdentities(t *testing.T) {
	e := start(t, &emulator.Options{Twins: numbered(2), MaxIdentities: 4})
	c := connect(t, e, 0)
	c.do("PUT", "/devices/a", `{"deviceId":"a"}`).want(200, "")
	c.do("PUT", "/devices/a/modules/m", `{"deviceId":"a","moduleId":"m"}`).want(200, "")
	c.do("PUT", "/devices/b", `{"deviceId":"b"}`).want(413, "TooManyDevices")
	c.do("PUT", "/devices/a/modules/n", `{"deviceId":"a","moduleId":"n"}`).want(413, "TooManyDevices")
	c.do("POST", "/devices", `[{"id":"b","importMode":"create"}]`).want(400, "").contains("the hub takes 4")
	c.do("PUT", "/devices/a", `{"deviceId":"a"}`).want(409, "DeviceAlreadyExists")
	if code := c.do("DELETE", "/devices/d000", "", "If-Match", "*").status; code != 204 {
		t.Errorf("got %d", code)
	}
	c.do("PUT", "/devices/b", `{"deviceId":"b"}`).want(200, "")
}
