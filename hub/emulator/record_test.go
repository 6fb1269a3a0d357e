package emulator

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/twinrules/twinrules/hub/twin"
)

// FuzzRecord reads any line: what is taken is written alike.
func FuzzRecord(f *testing.F) {
	f.Add(record{In: keptTwins, ID: "d1", Value: json.RawMessage(`{"a":1}`), More: true}.line())
	f.Add(record{In: keptTwins, ID: "d1"}.line())
	f.Add([]byte("00000000 \n"))
	f.Add([]byte("x"))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := readRecord(line)
		if err != nil {
			return
		}
		again, err := readRecord(r.line())
		if err != nil || again.In != r.In || again.ID != r.ID || again.More != r.More || !bytes.Equal(compact(t, again.Value), compact(t, r.Value)) {
			t.Errorf("%q is %v and then %v (%v)", line, r, again, err)
		}
	})
}

func TestUnknownCollection(t *testing.T) {
	_, err := contents{}.read(nil, record{In: "toasters", ID: "t1"}.line())
	if want := `"toasters" is no collection that this version knows`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func compact(t *testing.T, value json.RawMessage) []byte {
	var b bytes.Buffer
	if value != nil {
		if err := json.Compact(&b, value); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// TestStoreIsWrittenAnew writes one twin until most of the log is stale.
func TestStoreIsWrittenAnew(t *testing.T) {
	dir := t.TempDir()
	h := bareHub(10)
	s, _, err := openStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	h.store, s.least = s, 1<<20
	defer s.close()
	h.fleet.changed = h.twinChanged
	h.fleet.put(newborn(t))
	if err := h.keepAll(); err != nil {
		t.Fatal(err)
	}
	big := twin.Object{}
	for i := range 8 {
		big[string(rune('a'+i))] = string(bytes.Repeat([]byte("x"), 3900))
	}
	d := h.fleet.all()[0]
	largest := int64(0)
	for range 60 {
		if d, err = d.write(&edit{desired: big}, morning); err != nil {
			t.Fatal(err)
		}
		h.fleet.put(d)
		if err := h.keep(); err != nil {
			t.Fatal(err)
		}
		largest = max(largest, s.written)
	}
	info, err := os.Stat(filepath.Join(dir, "hub.state"))
	if err != nil || info.Size() >= largest || largest < s.least/2 {
		t.Errorf("the file has %d bytes, at most it had %d (%v)", info.Size(), largest, err)
	}
	kept, err := readRecords(s.path())
	if err != nil || !bytes.Equal(kept[keptTwins]["d1"], d.json) {
		t.Errorf("it has another twin (%v)", err)
	}
}
