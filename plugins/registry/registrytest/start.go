// Package registrytest starts the registry of the distribution project for a
// test. Start with [Start].
package registrytest

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// program is Debian's name of it.
const program = "docker-registry"

const config = `version: 0.1
log: {level: info}
storage: {filesystem: {rootdirectory: %s}}
http: {addr: 127.0.0.1:0, secret: test}
`

var listening = regexp.MustCompile(`listening on (127\.0\.0\.1:\d+)`)

// Start runs a registry with nothing in it until the test is over, and returns
// its host and port. Without the program the test is skipped.
func Start(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is not installed (Debian has a package of that name)", program)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "config.yml")
	text := regexp.MustCompile("%s").ReplaceAllLiteralString(config, filepath.Join(dir, "data"))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, "serve", file)
	cmd.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=none")
	log, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	host, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(log); lines.Scan(); {
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				host <- m[1]
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		_ = cmd.Wait() // it was killed
	})
	select {
	case h := <-host:
		return h
	case <-ended:
		t.Fatal("the registry ended at once")
		return ""
	}
}
