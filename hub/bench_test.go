package hub_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/twinrules/twinrules/hub"
)

// pageOfTwins is a page of 100 twins of some 2 KB.
func pageOfTwins() []byte {
	var b bytes.Buffer
	for i := range 100 {
		fmt.Fprintf(&b, `,{"deviceId":"device-%05d","etag":"AAAAAAAAAAE=","deviceEtag":"MzQzMDYwMzU2","status":"enabled","connectionState":"Connected","lastActivityTime":"2026-03-01T10:00:00Z","version":%d,"tags":{"site":"muc","kind":"reefer","tier":"gold"},"properties":{"desired":{"telemetry":{"intervalSec":300,"burst":5},"firmware":{"channel":"stable"},`, i, i)
		fmt.Fprintf(&b, `"$metadata":{"$lastUpdated":"2026-03-01T10:00:00.1234567Z","telemetry":{"$lastUpdated":"2026-03-01T10:00:00.1234567Z","intervalSec":{"$lastUpdated":"2026-03-01T10:00:00.1234567Z"}}},"$version":7},"reported":{"battery":{"pct":%d},"note":"%s","$metadata":{"$lastUpdated":"2026-03-01T10:00:00.1234567Z"},"$version":9}},"capabilities":{"iotEdge":false}}`, i, strings.Repeat("lorem ipsum ", 80))
	}
	b.Bytes()[0] = '['
	b.WriteByte(']')
	return b.Bytes()
}

// pages answers queries with so many pages.
func pages(page []byte, count int) transport {
	n := 0
	return func(*http.Request) (*http.Response, error) {
		resp := saying(200, ``, "x-ms-item-type", "Twin")
		resp.Body = io.NopCloser(bytes.NewReader(page))
		if n++; n%count != 0 {
			resp.Header.Set("x-ms-continuation", "more")
		}
		return resp, nil
	}
}

// BenchmarkPages reads 1,000 pages of 100 twins, and says how that compares with
// fetching the same pages by hand and decoding them into maps.
func BenchmarkPages(b *testing.B) {
	page := pageOfTwins()
	pacer, err := hub.NewPacer(nil)
	if err != nil {
		b.Fatal(err)
	}
	c, err := hub.NewClient("contoso.azure-devices.net", fixedToken(token), &hub.ClientOptions{Pacer: pacer, ClientOptions: azcore.ClientOptions{Transport: pages(page, 1000)}})
	if err != nil {
		b.Fatal(err)
	}
	ours, maps := cost{}, cost{}
	for b.Loop() {
		ours.add(func() { readPages(b, c) })
		maps.add(func() { readMaps(b, pages(page, 1000)) })
	}
	n := float64(b.N) * 1000
	b.ReportMetric(float64(ours.time.Microseconds())/n, "µs/page")
	b.ReportMetric(float64(ours.allocations)/n, "allocs/page")
	b.ReportMetric(float64(ours.bytes)/n, "B/page")
	b.ReportMetric(float64(maps.time)/float64(ours.time), "times-faster")
	b.ReportMetric(float64(maps.allocations)/float64(ours.allocations), "times-fewer-allocs")
	b.ReportMetric(float64(maps.bytes)/float64(ours.bytes), "times-fewer-bytes")
	b.ReportMetric(float64(ours.bytes)/n/float64(len(page)), "B-per-byte")
}

// A cost is what some work has taken.
type cost struct {
	time               time.Duration
	allocations, bytes uint64
}

func (c *cost) add(work func()) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	work()
	c.time += time.Since(began)
	runtime.ReadMemStats(&after)
	c.allocations += after.Mallocs - before.Mallocs
	c.bytes += after.TotalAlloc - before.TotalAlloc
}

func readPages(b *testing.B, c *hub.Client) {
	n := 0
	for _, err := range c.Twins(context.Background(), "SELECT * FROM devices") {
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
	if n != 100_000 {
		b.Fatalf("%d twins", n)
	}
}

func readMaps(b *testing.B, t transport) {
	for range 1000 {
		resp, _ := t(nil)
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			b.Fatal(err)
		}
		var rows []map[string]any
		if err := json.Unmarshal(body, &rows); err != nil || len(rows) != 100 {
			b.Fatal(err)
		}
	}
}

// A page is held in memory once, and not again for each row: what is allocated
// for a page is little more than its rows.
func TestPagesAreNotBufferedTwice(t *testing.T) {
	page := pageOfTwins()
	c := newClient(t, "contoso.azure-devices.net", fixedToken(token), &hub.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: pages(page, 100)}})
	n := 0
	used := cost{}
	used.add(func() {
		for _, err := range c.NewRegistryClient().Rows(t.Context(), "SELECT * FROM devices", nil) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
	})
	if perByte := float64(used.bytes) / 100 / float64(len(page)); n != 10_000 || perByte > 1.5 {
		t.Errorf("%d rows; %.2f bytes allocated for a byte of a page", n, perByte)
	}
}
