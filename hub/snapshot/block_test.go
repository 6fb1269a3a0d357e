package snapshot_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinrules/twinrules/hub/snapshot"
	"github.com/twinrules/twinrules/hub/twin"
)

// sameInBlocks reads a snapshot in blocks and as twins, which must show the same
// and fail in the same way.
func sameInBlocks(t testing.TB, s *snapshot.Snapshot) {
	t.Helper()
	var want []string
	for tw, err := range s.All(t.Context()) {
		if err != nil {
			want = append(want, err.Error())
			break
		}
		want = append(want, string(tw.JSON()))
	}
	got := inBlocks(t, s)
	if len(got) != len(want) {
		t.Fatalf("%d entries in blocks, %d twins; the last are\n%.300q\n%.300q", len(got), len(want), last(got), last(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("entry %d: in blocks\n%.300q\nas a twin\n%.300q", i, got[i], want[i])
		}
	}
}

// inBlocks returns the twins of a snapshot, and the error that ends it.
func inBlocks(t testing.TB, s *snapshot.Snapshot) (got []string) {
	for b, err := range s.Blocks(t.Context()) {
		if err == nil {
			err = b.Lines(func(line []byte, digest twin.Digest) error {
				if len(line) < 64<<10 { // to parse the others takes long
					if _, err := twin.Parse(line); err != nil {
						return err
					}
				}
				if digest != twin.DigestOf(line) {
					t.Errorf("the digest is not that of %.300q", line)
				}
				got = append(got, string(line))
				return nil
			})
			b.Release()
		}
		if err != nil {
			return append(got, err.Error())
		}
	}
	return got
}

func last(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1]
}

// TestBlocks cuts files of many sizes, in which lines end anywhere in a block.
func TestBlocks(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, name := range []string{"fleet.ndjson", "fleet.ndjson.zst"} {
		for range 6 {
			path := filepath.Join(t.TempDir(), name)
			rec := create(t, path)
			for i := range r.IntN(700) {
				size := r.IntN(2000)
				if r.IntN(100) == 0 {
					size = 600_000 // longer than a block
				}
				if err := rec.Twin(parse(t, fmt.Sprintf(`{"deviceId":"d%d","tags":{"x":%q}}`, i, strings.Repeat("x", size)))); err != nil {
					t.Fatal(err)
				}
			}
			for i := range r.IntN(3) {
				if err := rec.Configuration(&twin.Configuration{ID: fmt.Sprint("c", i), Content: twin.Object{}}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := rec.Finish(true); err != nil {
				t.Fatal(err)
			}
			sameInBlocks(t, open(t, path))
		}
	}
}

// TestBlocksOfOtherFiles: lines may end as on other systems, configurations may
// stand between twins, and places are still right.
func TestBlocksOfOtherFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.ndjson")
	for _, body := range []string{
		"{\"deviceId\":\"a\"}\r\n{\"deviceId\":\"b\"}\r\n",
		"{\"deviceId\":\"a\"}\n{\"configuration\":{\"id\":\"x\"}}\n{\"deviceId\":\"b/\"}\n",
		"{\"configuration\":{\"id\":\"x\"}}\n{\"configuration\":{\"id\":\"\"}}\n{\"deviceId\":\"b\"}\n",
		"{\"configuration\":7,\"deviceId\":\"b\"}\n{\"deviceId\":\"b\"",
		"{\"deviceId\":\"b\"}",
		"\n\n",
	} {
		write(t, path, header(2, "")+body)
		sameInBlocks(t, open(t, path))
	}
}
