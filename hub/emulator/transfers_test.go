package emulator_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinrules/twinrules/hub/emulator"
	"github.com/twinrules/twinrules/hub/snapshot"
	"github.com/twinrules/twinrules/hub/twin"
)

const (
	container = "https://acc.blob.core.windows.net/fleet"
	signed    = container + "?sv=2021&sp=racwdl&sig=abc%3D"
)

// transferHub has containers in a folder, which it returns.
func transferHub(t *testing.T, o emulator.Options) (*emulator.Emulator, *client, *clock, string) {
	t.Helper()
	dir := t.TempDir()
	o.Containers = emulator.Folders(dir)
	e, c, clock := jobHub(t, o)
	return e, c, clock, filepath.Join(dir, "acc.blob.core.windows.net", "fleet")
}

// transfer runs a job to its end and returns what became of it.
func (c *client) transfer(clock *clock, body string) *response {
	c.t.Helper()
	id, _ := c.do("POST", "/jobs/create", body).want(200, "").object()["jobId"].(string)
	clock.pass(2 * time.Second)
	return c.do("GET", "/jobs/"+id, "").want(200, "")
}

func TestExport(t *testing.T) {
	e, c, clock, dir := transferHub(t, emulator.Options{Seed: 1})
	c.do("PUT", "/configurations/c1", fanConfiguration).want(200, "")
	r := c.do("POST", "/jobs/create", `{"type":"export","outputBlobContainerUri":"`+signed+`","excludeKeysInExport":false,"includeConfigurations":true}`).want(200, "")
	id, _ := r.object()["jobId"].(string)
	want := `{"jobId":"` + id + `","startTimeUtc":"2026-03-01T12:00:00.1234567Z","type":"export","status":"enqueued","progress":0,` +
		`"excludeKeysInExport":false,"storageAuthenticationType":"keyBased","includeConfigurations":true,"useSecondaryStorageAsSource":false}`
	if diff := cmp.Diff(want, r.body); diff != "" {
		t.Error(diff)
	}
	var states []string
	for range 3 {
		states = append(states, fmt.Sprint(c.do("GET", "/jobs/"+id, "").object()["status"]))
		clock.pass(time.Second)
	}
	if got := strings.Join(states, " "); got != "enqueued running completed" {
		t.Errorf("got %s", got)
	}
	c.do("GET", "/jobs/"+id, "").contains(`"endTimeUtc":"2026-03-01T12:00:02.1234567Z","type":"export","status":"completed","progress":100`)
	if text := read(t, dir, "devices.txt"); !strings.Contains(text, `"primaryKey":"`) || !strings.HasPrefix(text, `{"id":"d0","eTag":"`) {
		t.Errorf("got %s", text)
	}
	if text := read(t, dir, "configurations.txt"); !strings.HasPrefix(text, `{"Id":"c1","SchemaVersion":null,"Labels":null,"Content":{"DeviceContent":{"properties.desired.fan.max":3}},`+
		`"TargetCondition":"tags.n=1",`) {
		t.Errorf("got %s", text)
	}
	sameFleet(t, e, filepath.Join(dir, "devices.txt"))
}

// sameFleet compares an export with the fleet, as another program reads it.
func sameFleet(t *testing.T, e *emulator.Emulator, path string) {
	t.Helper()
	s, err := snapshot.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for tw, err := range s.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(tw.Ref, tw.ETag, string(twin.Encode(tw.Tags())), string(twin.Encode(tw.Desired()))))
	}
	for tw := range e.Twins() {
		want = append(want, fmt.Sprint(tw.Ref, tw.ETag, string(twin.Encode(tw.Tags())), string(twin.Encode(tw.Desired()))))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestExportWithoutKeys begins with a line that is no JSON, and has no keys.
func TestExportWithoutKeys(t *testing.T) {
	e, c, clock, dir := transferHub(t, emulator.Options{})
	c.transfer(clock, `{"type":"export","outputBlobContainerUri":"`+container+`","excludeKeysInExport":true,"storageAuthenticationType":"IdentityBased","outputBlobName":"today/all.txt"}`).
		contains(`"status":"completed"`).contains(`"storageAuthenticationType":"identityBased"`)
	text := read(t, dir, "today/all.txt")
	first, rest, _ := strings.Cut(text, "\n")
	if strings.HasPrefix(first, "{") || !strings.HasPrefix(rest, "{") || !strings.Contains(rest, `"primaryKey":null`) || strings.Contains(rest, `"primaryKey":"`) {
		t.Errorf("got %s", text)
	}
	if err := os.Rename(filepath.Join(dir, "today/all.txt"), filepath.Join(dir, "devices.txt")); err != nil {
		t.Fatal(err)
	}
	sameFleet(t, e, filepath.Join(dir, "devices.txt"))
}

func TestTransferRefusals(t *testing.T) {
	_, c, _, _ := transferHub(t, emulator.Options{})
	none := start(t, nil)
	for _, test := range []struct {
		name, body, code, text string
	}{
		{"no JSON", `{`, "IotHubFormatError", ""},
		{"wrong types", `{"type":3}`, "ArgumentInvalid", ""},
		{"another type", `{"type":"backup"}`, "ArgumentInvalid", "neither import nor export"},
		{"no output", `{"type":"export"}`, "ArgumentNull", "outputBlobContainerUri"},
		{"no input", `{"type":"import","outputBlobContainerUri":"` + signed + `"}`, "ArgumentNull", "inputBlobContainerUri"},
		{"unknown authentication", `{"type":"export","outputBlobContainerUri":"` + signed + `","storageAuthenticationType":"magic"}`, "ArgumentInvalid", ""},
		{"identity with a key", `{"type":"export","outputBlobContainerUri":"` + signed + `","identity":{"userAssignedIdentity":"/x"}}`, "ArgumentInvalid", ""},
		{"key without a signature", `{"type":"export","outputBlobContainerUri":"` + container + `"}`, "BlobContainerValidationError", "Unauthorized to write to output blob container"},
		{"identity with a signature", `{"type":"export","storageAuthenticationType":"identityBased","outputBlobContainerUri":"` + signed + `"}`, "BlobContainerValidationError", ""},
		{"signature without writing", `{"type":"export","outputBlobContainerUri":"` + container + `?sp=rl&sig=a"}`, "BlobContainerValidationError", "Unauthorized to write to output blob container"},
		{"signature without deleting", `{"type":"export","outputBlobContainerUri":"` + container + `?sp=rwl&sig=a"}`, "BlobContainerValidationError", "Unauthorized to delete from output blob container"},
		{"signature of yesterday", `{"type":"export","outputBlobContainerUri":"` + container + `?se=2026-03-01T12:00:00Z&sig=a"}`, "BlobContainerValidationError", ""},
		{"out of the folder", `{"type":"export","outputBlobContainerUri":"https://acc/..?sig=a"}`, "BlobContainerValidationError", ""},
		{"input", `{"type":"import","outputBlobContainerUri":"` + signed + `","inputBlobContainerUri":"` + container + `"}`, "BlobContainerValidationError", "input"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c.do("POST", "/jobs/create", test.body).want(400, test.code).contains(test.text)
		})
	}
	connect(t, none, 0).do("POST", "/jobs/create", `{"type":"export","outputBlobContainerUri":"`+signed+`"}`).want(400, "BlobContainerValidationError")
	c.do("GET", "/jobs/nobody", "").want(404, "JobNotFound")
	c.do("DELETE", "/jobs/nobody", "").want(500, "ServerError")
	if got := c.do("GET", "/jobs/", "").want(200, "").body; got != "[]" {
		t.Errorf("got %s", got)
	}
}

// TestOneTransferAtATime cancels the first, so that another may begin, and
// remembers both for 30 days.
func TestOneTransferAtATime(t *testing.T) {
	e, c, clock, _ := transferHub(t, emulator.Options{Tier: "S3"})
	export := `{"type":"export","outputBlobContainerUri":"` + signed + `"}`
	id, _ := c.do("POST", "/jobs/create", export).want(200, "").object()["jobId"].(string)
	c.do("POST", "/jobs/create", export).want(403, "JobQuotaExceeded")
	c.do("DELETE", "/jobs/"+id, "").want(204, "")
	c.do("DELETE", "/jobs/"+id, "").want(204, "")
	c.do("GET", "/jobs/"+id, "").contains(`"status":"cancelled"`)
	c.transfer(clock, export).contains(`"status":"completed"`)
	c.do("GET", "/jobs", "").contains(`"status":"cancelled"`).contains(`"status":"completed"`)
	clock.pass(31 * 24 * time.Hour)
	c = connect(t, e, 0)
	if got := c.do("GET", "/jobs", "").body; got != "[]" {
		t.Errorf("got %s", got)
	}
}

func TestImport(t *testing.T) {
	e, c, clock, dir := transferHub(t, emulator.Options{})
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	lines := strings.Join([]string{
		"a warning of an export without keys",
		`{"id":"new","status":"disabled","tags":{"a":1},"properties":{"desired":{"fan":2,"$version":7}}}`,
		`{"id":"new","moduleId":"meter","status":"enabled","importMode":"Create"}`,
		`{"id":"d0","status":"enabled","importMode":"updateTwin","tags":{"n":null,"x":1}}`,
		`{"id":"d1","status":"enabled","importMode":"updateTwinIfMatchETag","twinETag":"AAAAAAAAAAk=","tags":{"x":1}}`,
		`{"id":"d2","status":"enabled","importMode":"delete"}`,
		`{"id":"d3","importMode":"delete"}`,
		`{"id":"d3","status":"enabled","importMode":"create"}`,
		`{"id":"ghost","status":"enabled","importMode":"update"}`,
		`{"id":"lone","moduleId":"m","status":"enabled"}`,
		`{"id":"bad","status":"enabled","tags":{"a b":1}}`,
		`{"id":"d3","status":"enabled","importMode":"magic"}`,
		"",
	}, "\n")
	if err := os.WriteFile(filepath.Join(dir, "in.txt"), []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	r := c.transfer(clock, `{"type":"import","inputBlobContainerUri":"`+signed+`","outputBlobContainerUri":"`+signed+`","inputBlobName":"in.txt"}`)
	r.contains(`"status":"completed"`)
	if strings.Contains(r.body, "excludeKeysInExport") {
		t.Errorf("got %s", r.body)
	}
	var codes []string
	for line := range strings.Lines(read(t, dir, "importErrors.log")) {
		o, err := twin.DecodeObject([]byte(strings.TrimSpace(line)))
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, fmt.Sprint(o["deviceId"], " ", o["errorCode"]))
	}
	if diff := cmp.Diff([]string{"d1 412001", "d3 400004", "d3 409001", "ghost 404001", "lone 404001", "bad 400004", "d3 400004"}, codes); diff != "" {
		t.Error(diff)
	}
	var got []string
	for tw := range e.Twins() {
		got = append(got, fmt.Sprintf("%s %s %s", tw.Ref, tw.Status, twin.Encode(tw.Tags())))
	}
	want := []string{`devices/d0 enabled {"x":1}`, `devices/d0/modules/m enabled {"n":0}`, `devices/d1 enabled {"n":1}`, `devices/d3 enabled {"n":3}`,
		`devices/new disabled {"a":1}`, `devices/new/modules/meter enabled {}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestConfigurationsTravel exports from one hub and imports into another.
func TestConfigurationsTravel(t *testing.T) {
	_, from, clock, dir := transferHub(t, emulator.Options{})
	from.do("PUT", "/configurations/c1", fanConfiguration).want(200, "")
	from.transfer(clock, `{"type":"export","outputBlobContainerUri":"`+signed+`","includeConfigurations":true,"configurationsBlobName":"cs.txt"}`).contains(`"completed"`)
	e := start(t, &emulator.Options{Now: clock.now, Twins: numbered(2), Containers: emulator.Folders(filepath.Dir(filepath.Dir(dir)))})
	to := connect(t, e, 0)
	if err := os.WriteFile(filepath.Join(dir, "none.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // created, then updated
		to.transfer(clock, `{"type":"import","inputBlobContainerUri":"`+signed+`","outputBlobContainerUri":"`+signed+`","inputBlobName":"none.txt","includeConfigurations":true,"configurationsBlobName":"cs.txt"}`).contains(`"completed"`)
		to.do("GET", "/configurations/c1", "").want(200, "").contains(`"content":{"deviceContent":{"properties.desired.fan.max":3}},"targetCondition":"tags.n=1"`)
	}
	if got := read(t, dir, "importErrors.log"); got != "" {
		t.Errorf("got %s", got)
	}
	to.do("GET", "/twins/d001", "").want(200, "").contains(`"max":3`)
}

func TestTransferFails(t *testing.T) {
	_, c, clock, dir := transferHub(t, emulator.Options{})
	in := `{"type":"import","inputBlobContainerUri":"` + signed + `","outputBlobContainerUri":"` + signed + `"}`
	c.transfer(clock, in).contains(`"status":"failed","progress":0,"failureReason":"read devices.txt: `)
	for content, want := range map[string]string{
		"{\"id\":\"a\",\"status\":\"enabled\"}\n{\"id\":1,\"id\":2}\n": `read devices.txt:2: invalid JSON at offset 8: duplicate key`,
		"{" + strings.Repeat(" ", 2<<20):                               "token too long",
	} {
		if err := os.WriteFile(filepath.Join(dir, "devices.txt"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		c.transfer(clock, in).contains(`"status":"failed"`).contains(want)
	}
	c.transfer(clock, `{"type":"export","outputBlobContainerUri":"`+signed+`","outputBlobName":"../../x"}`).contains(`"status":"failed"`)
	if got := c.do("GET", "/jobs", "").body; strings.Contains(got, "sig=") {
		t.Errorf("a signature is shown: %s", got)
	}
}

// TestFoldersStayInside tries to leave the folder.
func TestFoldersStayInside(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := emulator.Folders(filepath.Join(dir, "made"))
	for _, uri := range []string{"", "fleet", "file:///etc", "https://a", "https://a/", "https://a/..", "https://../x", "https://a/b/c/d",
		"https://a/%2e%2e", "https://a/b%2Fc%2Fd", "https://a/b\\c", "https://a/.x", "https:///x", "https://a/b\x00", "https://[::1]/x"} {
		if _, err := open(t.Context(), &emulator.ContainerAddress{URI: uri}); err == nil {
			t.Errorf("%q was taken", uri)
		}
	}
	c, err := open(t.Context(), &emulator.ContainerAddress{URI: "http://127.0.0.1:10000/devstoreaccount1/fleet"})
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "made", "127.0.0.1_10000", "devstoreaccount1", "fleet")
	if err := os.Symlink(outside, filepath.Join(folder, "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link", "../fleet/link", "/etc/passwd", "", ".", "a/../../b"} {
		if r, err := c.ReadBlob(t.Context(), name); err == nil && name != "." {
			r.Close()
			t.Errorf("%q was read", name)
		}
	}
	for _, name := range []string{"../x", "/x", "", "."} {
		if err := c.WriteBlob(t.Context(), name, strings.NewReader("y")); err == nil {
			t.Errorf("%q was written", name)
		}
	}
	if err := c.WriteBlob(t.Context(), "link", strings.NewReader("y")); err != nil {
		t.Fatal(err) // takes the link's place
	}
	if text, err := os.ReadFile(outside); err != nil || string(text) != "x" {
		t.Errorf("the file outside has %q (%v)", text, err)
	}
}
