package snapshot_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/twinrules/twinrules/hub/snapshot"
)

// readAll opens and reads the file to its end.
func readAll(t testing.TB, path string) error {
	s, err := snapshot.Open(path)
	if err != nil {
		return err
	}
	_, err = collect(s.All(t.Context()))
	if s.Whole() {
		sameInBlocks(t, s)
	}
	return err
}

func header(twins int, digest string) string {
	return fmt.Sprintf(`{"twinrules":"snapshot/v1","hub":"h","takenAt":"2026-11-21T12:00:00Z","queries":[],"complete":true,"twins":%d,"configurations":0,"digest":%q}`+"\n", twins, digest)
}

func TestWhatIsNoSnapshotIsRefused(t *testing.T) {
	zeros := strings.Repeat("\x00", 5<<20)
	tests := []struct{ name, file, content, want string }{
		{"empty", "f.ndjson", "", "f.ndjson: the file is empty"},
		{"white space", "f.ndjson", " \n\n", "f.ndjson: the file is empty"},
		{"JSON array", "f.json", `[{"deviceId":"a"}]`, "f.json: not a snapshot"},
		{"a bare twin", "f.json", `{"deviceId":"a"}`, "f.json: not a snapshot"},
		{"gzip", "f.ndjson.gz", packed(gzipped, header(0, "")), "f.ndjson.gz: not a snapshot"},
		{"PNG", "f.ndjson", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "f.ndjson: not a snapshot"},
		{"not the zstd that its name says", "f.ndjson.zst", header(0, ""), "f.ndjson.zst: the name says zstd"},
		{"empty, and named zstd", "f.zst", "", "f.zst: the name says zstd"},
		{"damaged zstd", "f.zst", "\x28\xb5\x2f\xfd\x00\x01\x02\x03", "f.zst: "},
		{"later version", "f.ndjson", `{"twinrules":"snapshot/v2","shards":[]}` + "\n", `f.ndjson:1: "snapshot/v2" is no snapshot that this version reads`},
		{"no version", "f.ndjson", `{"twinrules":7}` + "\n", "f.ndjson:1: header: "},
		{"unknown field", "f.ndjson", `{"twinrules":"snapshot/v1","sharded":true}` + "\n", `f.ndjson:1: header: json: unknown field "sharded"`},
		{"text behind the header", "f.ndjson", `{"twinrules":"snapshot/v1"}x` + "\n", "f.ndjson:1: header: text behind it"},
		{"header cut off", "f.ndjson", `{"twinrules":"snapshot/v1","hub`, "f.ndjson:1: the file is cut off"},
		{"header only", "f.ndjson", header(2, ""), "f.ndjson:1: the file is cut off: 0 of 2 twins"},
		{"too many twins", "f.ndjson", header(1, "") + "{\"deviceId\":\"a\"}\n{\"deviceId\":\"b\"}\n", "f.ndjson:3: the file was altered: it holds 2 twins"},
		{"twins without a count", "f.ndjson", header(-1, "") + "{\"deviceId\":\"a\"}\n", "f.ndjson:2: the file was altered"},
		{"no digest", "f.ndjson", header(0, ""), `f.ndjson:1: its digest is "", which this version does not know: record the fleet anew`},
		{"digest of another kind", "f.ndjson", header(0, "sha256:00"), `f.ndjson:1: its digest is "sha256:00", which`},
		{"wrong digest", "f.ndjson", header(0, "xxh3:00"), "f.ndjson:1: the file was altered: its digest is xxh3:"},
		{"bad twin", "f.ndjson", header(2, "") + "{\"deviceId\":\"a\"}\n{\"deviceId\":\"a/b\"}\n", `f.ndjson:3: read twin: deviceId "a/b"`},
		{"empty line", "f.ndjson", header(1, "") + "\n{\"deviceId\":\"a\"}\n", "f.ndjson:2: read twin: "},
		{"bad configuration", "f.ndjson", header(1, "") + `{"configuration":{"id":""}}` + "\n", "f.ndjson:2: read configuration: "},
		{"line too long", "f.ndjson", header(1, "") + `{"deviceId":"` + zeros, "f.ndjson:2: the line has more than 4194304 bytes"},
		{"control characters", "f.ndjson", header(1, "") + "{\"deviceId\":\"\\u001b[31m\"}\n", `f.ndjson:2: read twin: deviceId "\x1b[31m"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), test.file)
			write(t, path, test.content)
			if err := readAll(t, path); err == nil || !strings.Contains(err.Error(), " "+filepath.Dir(path)) || !contains(err, test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// Every prefix of a file is refused that lacks more than the last line's end,
// and so is every file with one byte altered behind the header.
func TestDamageIsRefused(t *testing.T) {
	for _, name := range []string{"fleet.ndjson", "fleet.ndjson.zst"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			record(t, path, []string{`{"deviceId":"a","tags":{"site":"muc"}}`, `{"deviceId":"b"}`})
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for n := range len(whole) - 1 {
				write(t, path, string(whole[:n]))
				if err := readAll(t, path); err == nil {
					t.Errorf("the first %d of %d bytes are read", n, len(whole))
				}
			}
			begin := bytes.IndexByte(whole, '\n') + 1
			if filepath.Ext(name) == ".zst" {
				begin = bytes.LastIndex(whole, []byte{0x28, 0xb5, 0x2f, 0xfd}) + 6 // magic, flags and window
			}
			for n := begin; n < len(whole); n++ {
				altered := bytes.Clone(whole)
				altered[n] ^= 0x20
				write(t, path, string(altered))
				if err := readAll(t, path); err == nil {
					t.Errorf("byte %d of %d is altered, and read", n, len(whole))
				}
			}
		})
	}
}

func TestACutFileIsCalledCut(t *testing.T) {
	for _, name := range []string{"fleet.ndjson", "fleet.ndjson.zst"} {
		path := filepath.Join(t.TempDir(), name)
		record(t, path, []string{`{"deviceId":"a"}`, `{"deviceId":"b"}`})
		rewrite(t, path, func(text string) string { return text[:len(text)-6] })
		if err := readAll(t, path); !contains(err, "the file is cut off") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A file of a few kilobytes that inflates to gigabytes is given up early.
func TestBombsAreRefused(t *testing.T) {
	if watched {
		t.Skip("300 MB that one goroutine packs and another unpacks")
	}
	line := `{"deviceId":"a","x":"` + strings.Repeat("x", 1<<20) + `"}` + "\n"
	tests := []struct {
		name, content, again string
		times                int
		want                 string
	}{
		{"twins", header(1<<20, ""), line, 70, "inflates to more than 500 times its size"},
		{"one line", header(1<<20, ""), strings.Repeat("x", 1<<20), 70, "the line has more than"},
		{"one value", `{"arm":"`, strings.Repeat("x", 1<<20), 34, "a value has more than 33554432 bytes"},
		{"one device", `{"devices":{"a":{"x":"`, strings.Repeat("x", 1<<20), 34, `device "a": a value has more than 33554432 bytes`},
		{"one key", `{"devices":{"`, strings.Repeat("x", 1<<20), 34, "a value has more than 33554432 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f.zst")
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			z, err := zstd.NewWriter(f, zstd.WithEncoderConcurrency(1))
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(z, test.content)
			for range test.times {
				io.WriteString(z, test.again)
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			if info, err := f.Stat(); err != nil || info.Size() > 64<<10 {
				t.Fatalf("the bomb has %d bytes, %v", info.Size(), err)
			}
			if err := readAll(t, path); !contains(err, test.want) {
				t.Errorf("got %.200v, want %q", err, test.want)
			}
		})
	}
}

func TestOnlyRegularFilesAreRead(t *testing.T) {
	dir := t.TempDir()
	if _, err := snapshot.Open(dir); !contains(err, dir+": not a regular file") {
		t.Errorf("folder: %v", err)
	}
	if _, err := snapshot.Open(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing: %v", err)
	}
	if err := os.Symlink("none", filepath.Join(dir, "dangling")); err != nil {
		t.Skip(err)
	}
	if _, err := snapshot.Open(filepath.Join(dir, "dangling")); err == nil {
		t.Error("a dangling link is opened")
	}
	record(t, filepath.Join(dir, "fleet.ndjson"), []string{`{"deviceId":"a"}`})
	if err := os.Symlink("fleet.ndjson", filepath.Join(dir, "latest.ndjson")); err != nil {
		t.Fatal(err)
	}
	if err := readAll(t, filepath.Join(dir, "latest.ndjson")); err != nil {
		t.Errorf("a link to a snapshot: %v", err)
	}
}

func TestAFileThatMayNotBeRead(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	path := filepath.Join(t.TempDir(), "fleet.ndjson")
	record(t, path, nil)
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := snapshot.Open(path); !contains(err, "permission denied") {
		t.Errorf("got %v", err)
	}
}

// A file that goes away, or becomes another, between two readings.
func TestTheFileChangesBehindASnapshot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.ndjson")
	record(t, path, []string{`{"deviceId":"a"}`})
	s := open(t, path)
	record(t, path, []string{`{"deviceId":"b"}`})
	if _, err := collect(s.All(t.Context())); !contains(err, "the file was altered") {
		t.Errorf("another file: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := collect(s.All(t.Context())); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func gzipped(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }

func packed(by func(io.Writer) io.WriteCloser, text string) string {
	var b strings.Builder
	w := by(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
