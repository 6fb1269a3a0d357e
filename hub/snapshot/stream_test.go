package snapshot_test

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// wide is a twin of about 1 KB, in which little is alike from one to the next.
func wide(i int) string {
	var tags strings.Builder
	for k := range 40 {
		fmt.Fprintf(&tags, `,"k%d":"%x"`, k, uint64(i*64+k+1)*0x9e3779b97f4a7c15)
	}
	return fmt.Sprintf(`{"deviceId":"device-%07d","etag":"AAAAAAAAAAE=","tags":{%s},"properties":{"desired":{"fan":%d},"reported":{}}}`, i, tags.String()[1:], i)
}

// long is a twin of about 5 KB that cannot be compressed much.
func long(i int) string {
	var text strings.Builder
	for k := range 80 {
		fmt.Fprintf(&text, "%x", sha256.Sum256(fmt.Append(nil, i, k)))
	}
	return fmt.Sprintf(`{"deviceId":"device-%d","tags":{"note":%q}}`, i, text.String())
}

// What is in memory while a fleet is read does not grow with what has been read
// of it: 6 MB here, of which 4.5 come after the first measurement.
func TestAFleetIsReadAsAStream(t *testing.T) {
	if watched {
		t.Skip("it measures memory, of which the race detector has its own")
	}
	for _, name := range []string{"fleet.ndjson", "fleet.ndjson.zst"} {
		t.Run(name, func(t *testing.T) {
			const twins = 1300
			path := filepath.Join(t.TempDir(), name)
			r := create(t, path)
			size := 0
			for i := range twins {
				text := long(i)
				size += len(text)
				if err := r.Twin(parse(t, text)); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := r.Finish(true); err != nil || size < 6<<20 {
				t.Fatalf("%d bytes, %v", size, err)
			}
			s := open(t, path)
			before, after, n := live(), []int64{}, 0
			for _, err := range s.All(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if n++; n%(twins/4) == 0 {
					after = append(after, int64(live())-int64(before))
				}
			}
			if after[3] > after[0]+1<<20 {
				t.Errorf("bytes in use after each quarter of %d: %d", size, after)
			}
			if n != twins {
				t.Errorf("got %d twins", n)
			}
		})
	}
}

// live returns the bytes that are in use.
func live() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkRead(b *testing.B) {
	for _, name := range []string{"fleet.ndjson", "fleet.ndjson.zst"} {
		b.Run(name, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), name)
			r := create(b, path)
			size := 0
			for i := range 5000 {
				text := wide(i)
				size += len(text)
				if err := r.Twin(parse(b, text)); err != nil {
					b.Fatal(err)
				}
			}
			if _, err := r.Finish(true); err != nil {
				b.Fatal(err)
			}
			s := open(b, path)
			b.SetBytes(int64(size))
			for b.Loop() {
				for _, err := range s.All(b.Context()) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

func BenchmarkRecord(b *testing.B) {
	for _, name := range []string{"fleet.ndjson", "fleet.ndjson.zst"} {
		b.Run(name, func(b *testing.B) {
			r := create(b, filepath.Join(b.TempDir(), name))
			defer r.Abort()
			one := parse(b, wide(0))
			b.SetBytes(int64(len(one.JSON())))
			for b.Loop() {
				if err := r.Twin(one); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
