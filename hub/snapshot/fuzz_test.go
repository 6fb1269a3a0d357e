package snapshot_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/hub/snapshot"
)

// Whatever stands in a file, reading it ends without a panic, and an error
// names the file in one line.
func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	for _, name := range names {
		path := filepath.Join(dir, name)
		record(f, path, []string{`{"deviceId":"a","tags":{"x":[1,"é"]}}`, `{"deviceId":"a","moduleId":"m"}`})
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(labelled(header(2, "")) + labelled("{\"deviceId\":\"a\"}\n") + labelled("{\"deviceId\":\"b\"}\r\n{\"configuration\":{\"id\":\"x\"}}\n")))
	f.Add([]byte(labelled(header(2, "")) + labelled("{\"deviceId\":\"a\"}\n") + packed1("{\"deviceId\":\"b\"}\n")))
	f.Add([]byte(packed1(header(2, "")) + labelled("{\"deviceId\":\"a\"}\n{\"deviceId\":\"b\"}\n")))
	f.Add([]byte(state))
	f.Add([]byte("warning\r\n" + exportedDevice + "\r\n" + exportedModule + "\n\n"))
	f.Add([]byte(header(1, "") + `{"configuration":{"id":"x"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "f")
		write(t, path, string(data))
		s, err := snapshot.Open(path)
		if err == nil {
			var twins, configurations int
			for _, err2 := range s.All(t.Context()) {
				if err = err2; err == nil {
					twins++
				}
			}
			for _, err2 := range s.Configurations(t.Context()) {
				if err2 == nil {
					configurations++
				}
			}
			if s.Whole() {
				sameInBlocks(t, s)
			}
			if err == nil && (twins != s.Header.Twins || configurations != s.Header.Configurations) {
				t.Errorf("%d twins and %d configurations are read, the header says %+v", twins, configurations, s.Header)
			}
		}
		if err != nil && (!strings.Contains(err.Error(), path) || strings.ContainsAny(err.Error(), "\n\r\x1b")) {
			t.Errorf("got %q", err)
		}
	})
}
