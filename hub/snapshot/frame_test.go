package snapshot_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/twinrules/twinrules/hub/snapshot"
	"github.com/twinrules/twinrules/hub/twin"
)

// labelled returns a frame of text and, before it, a label that says so.
func labelled(text string) string {
	frame := packed1(text)
	return labelOf(len(frame), len(text), strings.Count(text, "\n")) + frame
}

// labelOf returns a label.
func labelOf(packed, size, lines int) string {
	b := []byte("\x57\x2a\x4d\x18\x10\x00\x00\x00trf1")
	for _, n := range []int{packed, size, lines} {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	return string(b)
}

// packed1 returns text as one frame, without a label.
func packed1(text string) string {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithSingleSegment(true))
	if err != nil {
		panic(err)
	}
	return string(z.EncodeAll([]byte(text), nil))
}

// fleetOf records n twins of about 1 KB, and returns the file.
func fleetOf(t testing.TB, path string, n int) []byte {
	t.Helper()
	r := create(t, path)
	var noise strings.Builder // of which each has another part
	for i := range 200 {
		fmt.Fprintf(&noise, "%x", sha256.Sum256(fmt.Append(nil, i)))
	}
	for i := range n {
		at := i * 131 % (noise.Len() - 1000)
		text := fmt.Sprintf(`{"deviceId":"device-%d","tags":{"note":"%s"}}`, i, noise.String()[at:at+1000])
		if err := r.Twin(parse(t, text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Configuration(&twin.Configuration{ID: "c", Content: twin.Object{}}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Finish(true); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// unpacked is what any tool makes of a file in zstd.
func unpacked(t testing.TB, data []byte) string {
	t.Helper()
	z, err := zstd.NewReader(bytes.NewReader(data), zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestFrames: a recording in zstd is frames of about 1 MiB, with labels that say
// what is in them; other tools read it as the plain one; the same twins make the
// same bytes.
func TestFrames(t *testing.T) {
	dir := t.TempDir()
	plain := fleetOf(t, filepath.Join(dir, "f.ndjson"), 2500)
	data := fleetOf(t, filepath.Join(dir, "f.zst"), 2500)
	if text := unpacked(t, data); text != string(plain) {
		t.Errorf("another tool reads %d bytes, want %d", len(text), len(plain))
	}
	if again := fleetOf(t, filepath.Join(dir, "g.zst"), 2500); !bytes.Equal(again, data) {
		t.Error("the same twins make other bytes")
	}
	frames := 0
	for ; len(data) > 0; frames++ {
		packed, size := int(binary.LittleEndian.Uint32(data[12:])), int(binary.LittleEndian.Uint32(data[16:]))
		text := unpacked(t, data[24:24+packed])
		if got, want := string(data[:24]), labelOf(packed, len(text), strings.Count(text, "\n")); got != want || !strings.HasSuffix(text, "\n") {
			t.Errorf("frame %d: got label %q, want %q", frames, got, want)
		}
		if data = data[24+packed:]; size > 1<<20 || frames > 0 && len(data) > 0 && size < 1<<20-2<<10 {
			t.Errorf("frame %d has %d bytes", frames, size)
		}
	}
	if frames != 2+len(plain)>>20 {
		t.Errorf("%d frames of %d bytes", frames, len(plain))
	}
}

// TestFilesOfOtherTools: what others pack is read, too, with and without frames
// and what they put between them.
func TestFilesOfOtherTools(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f.zst")
	text := unpacked(t, fleetOf(t, path, 400))
	want := documents(t, open(t, path).All(t.Context()))
	var parts, between strings.Builder
	for i := 0; i < len(text); i += 150_000 { // wherever a line is
		frame := packed1(text[i:min(i+150_000, len(text))])
		parts.WriteString(frame)
		between.WriteString("\x50\x2a\x4d\x18\x04\x00\x00\x00" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(frame)))) + frame) // as pzstd does
	}
	for name, data := range map[string]string{"one frame": packed1(text), "frames": parts.String(), "frames of pzstd": between.String(), "plain": text} {
		path := filepath.Join(dir, "other")
		write(t, path, data)
		s := open(t, path)
		if got := documents(t, s.All(t.Context())); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: got %d twins, want %d", name, len(got), len(want))
		}
		sameInBlocks(t, s)
	}
}

// TestLabelsThatLie: they are refused, by who reads blocks and by who does not,
// and nobody makes room for what they say.
func TestLabelsThatLie(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.zst")
	record(t, path, []string{`{"deviceId":"a"}`, `{"deviceId":"b"}`, `{"deviceId":"c"}`})
	head, body, _ := strings.Cut(unpacked(t, read(t, path)), "\n")
	head += "\n"
	first, rest := body[:17], body[17:]
	frame := packed1(body)
	n := len(frame)
	const lie = "the frames of the file are not as their labels say"
	tests := []struct{ name, content, want string }{
		{"the truth", labelled(head) + labelled(body), ""},
		{"several frames", labelled(head) + labelled(first) + labelled(rest), ""},
		{"fewer bytes", labelled(head) + labelOf(n-1, len(body), 3) + frame, "f.zst:1: unpack a frame: "},
		{"more bytes", labelled(head) + labelOf(n+1, len(body), 3) + frame, "f.zst:1: the file is cut off"},
		{"less text", labelled(head) + labelOf(n, len(body)-1, 3) + frame, lie},
		{"more text", labelled(head) + labelOf(n, len(body)+1, 3) + frame, lie},
		{"fewer lines", labelled(head) + labelOf(n, len(body), 2) + frame, lie},
		{"more lines", labelled(head) + labelOf(n, len(body), 4) + frame, lie},
		{"no lines", labelled(head) + labelOf(n, len(body), 0) + frame, lie},
		{"no text", labelled(head) + labelOf(0, 0, 0) + labelled(body), lie},
		{"huge frame", labelled(head) + labelOf(1<<32-1, len(body), 3) + frame, lie},
		{"huge text", labelled(head) + labelOf(n, 1<<32-1, 3) + frame, lie},
		{"huge text and lines", labelled(head) + labelOf(n, 1<<32-1, 1<<32-1) + frame, lie},
		{"two frames behind one label", labelled(head) + labelOf(len(packed1(first)+packed1(rest)), len(body), 3) + packed1(first) + packed1(rest), lie},
		{"a frame that goes on", labelled(head) + labelOf(len(packed1(first)+packed1(rest)), len(first), 1) + packed1(first) + packed1(rest), "unpack a frame: "},
		{"a label behind a label", labelled(head) + labelOf(n, len(body), 3) + labelled(body), lie},
		{"no label", labelled(head) + frame, lie},
		{"a line in two frames", labelled(head) + labelled(body[:20]) + labelled(body[20:]), lie},
		{"a last line without an end", labelled(head) + labelled(strings.TrimSuffix(body, "\n")), lie},
		{"twins beside the header", labelled(head+first) + labelled(rest), lie},
		{"something behind it", labelled(head) + labelled(body) + "x", "f.zst:4: the file is cut off"},
		{"a frame is missing", labelled(head) + labelled(rest), "f.zst:3: the file is cut off: 2 of 3 twins"},
		{"a frame is there twice", labelled(head) + labelled(first) + labelled(body), "f.zst:5: the file was altered: it holds 4 twins"},
		{"another frame", labelled(head) + labelled(first) + labelled(first) + labelled(first), "f.zst:4: the file was altered: its digest is"},
		{"frames in another order", labelled(head) + labelled(rest) + labelled(first), ""},
		{"lines of other systems", labelled(head) + labelled(strings.ReplaceAll(body, "\n", "\r\n")), ""},
		{"a bad twin", labelled(head) + labelled(first) + labelled("{\"deviceId\":\"b\"}\n{\"deviceId\":7}\n"), "f.zst:4: read twin: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f.zst")
			write(t, path, test.content)
			if err := readAll(t, path); !contains(err, test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestFramesOfABomb: small frames that inflate to much are given up early, whoever
// reads them.
func TestFramesOfABomb(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.zst")
	line := `{"deviceId":"a","x":"` + strings.Repeat("x", 1<<20) + `"}` + "\n"
	write(t, path, labelled(header(1<<20, ""))+strings.Repeat(labelled(line), 80))
	s := open(t, path)
	n := 0
	for b, err := range s.Blocks(t.Context()) { // nothing of it is unpacked
		if err != nil {
			if !contains(err, "inflates to more than 500 times its size") {
				t.Errorf("got %v", err)
			}
			break
		}
		n++
		b.Release()
	}
	if n < 50 || n > 79 {
		t.Errorf("given up behind %d frames", n)
	}
	if watched {
		return // the rest unpacks 64 MB
	}
	if _, err := collect(s.All(t.Context())); !contains(err, "inflates to more than 500 times its size") {
		t.Errorf("got %v", err)
	}
}

// TestBlocksByMany: whoever and how many use the blocks, they see the same lines.
func TestBlocksByMany(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.zst")
	text := strings.TrimSpace(unpacked(t, fleetOf(t, path, 3000)))
	configuration := text[strings.LastIndex(text, "\n")+1:]
	s := open(t, path)
	for _, workers := range []int{1, 2, 7} {
		var sums []twin.Digest
		for range workers {
			sums = append(sums, twin.Digest{})
		}
		if err := shared(t, s, workers, func(w int, line []byte, digest twin.Digest) { sums[w].Add(digest) }); err != nil {
			t.Fatal(err)
		}
		sum := twin.DigestOf([]byte(configuration))
		for _, one := range sums {
			sum.Add(one)
		}
		if sum.String() != s.Digest {
			t.Errorf("%d workers: got %s, want %s", workers, sum, s.Digest)
		}
	}
}

// shared has the blocks of a snapshot read by workers, each of which calls each
// with its number, and returns the error that ends the snapshot.
func shared(t testing.TB, s *snapshot.Snapshot, workers int, each func(w int, line []byte, digest twin.Digest)) (ended error) {
	blocks := make(chan *snapshot.Block, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for b := range blocks {
				err := b.Lines(func(line []byte, digest twin.Digest) error {
					each(w, line, digest)
					return nil
				})
				if err != nil {
					t.Error(err)
				}
				b.Release()
			}
		})
	}
	for b, err := range s.Blocks(t.Context()) {
		if err != nil {
			ended = err
			break
		}
		blocks <- b
	}
	close(blocks)
	wg.Wait()
	return ended
}

// TestBlocksAreNotKept: memory does not grow with what has been read of a file.
func TestBlocksAreNotKept(t *testing.T) {
	if watched {
		t.Skip("it measures memory, of which the race detector has its own")
	}
	path := filepath.Join(t.TempDir(), "f.zst")
	fleetOf(t, path, 12000) // 12 MB
	s := open(t, path)
	before, most, n := live(), int64(0), 0
	for b, err := range s.Blocks(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Lines(func([]byte, twin.Digest) error { return nil }); err != nil {
			t.Fatal(err)
		}
		b.Release()
		n++
		most = max(most, int64(live())-int64(before))
	}
	if n < 10 || most > 5<<20 {
		t.Errorf("%d blocks, at most %d bytes in use", n, most)
	}
}

// TestALabelMakesNoRoom: what a label says costs nothing before there is a frame
// that says so, too.
func TestALabelMakesNoRoom(t *testing.T) {
	if watched {
		t.Skip("it measures memory, of which the race detector has its own")
	}
	path := filepath.Join(t.TempDir(), "f.zst")
	write(t, path, labelled(header(1, ""))+labelOf(100, 4<<20, 1)+strings.Repeat("x", 100))
	s := open(t, path)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := collect(s.All(t.Context()))
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; err == nil || grown > 2<<20 {
		t.Errorf("got %v, %d bytes", err, grown)
	}
}

// BenchmarkBlocks unpacks and hashes what another tool packed, of which one
// goroutine makes text, and what a recorder did, by one worker and by two.
func BenchmarkBlocks(b *testing.B) {
	dir := b.TempDir()
	framed, stream := filepath.Join(dir, "f.zst"), filepath.Join(dir, "s.zst")
	text := unpacked(b, fleetOf(b, framed, 20000))
	write(b, stream, packed1(text))
	for _, path := range []string{stream, framed} {
		for workers := 1; workers <= 2; workers++ {
			b.Run(fmt.Sprintf("%s/workers=%d", map[string]string{stream: "stream", framed: "frames"}[path], workers), func(b *testing.B) {
				s := open(b, path)
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					if err := shared(b, s, workers, func(int, []byte, twin.Digest) {}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
