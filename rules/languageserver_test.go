package rules_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twinrules/twinrules/rules"
)

// nodeModules is the variable with the folder into which npm has installed
// yaml-language-server; the test that needs it skips when it is not set.
const nodeModules = "TWINRULES_TEST_NODE_MODULES"

// TestLanguageServer asks the YAML language server that editors run, over its
// protocol, about files that find the schema by their modeline.
func TestLanguageServer(t *testing.T) {
	modules := os.Getenv(nodeModules)
	if modules == "" {
		t.Skip(nodeModules + " is not set: yaml-language-server is not installed")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, rules.SchemaFile), rules.Schema(), 0o644); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, filepath.Join(modules, "yaml-language-server", "bin", "yaml-language-server"), dir)
	for name, c := range map[string]struct {
		text string
		want string // a part of one message; "" for none at all
		line int    // from 0, of the message
	}{
		"a good pack":     {head + "  - {id: a, when: true, patch: {tags: {a: 1}}}\n", "", 0},
		"an unknown key":  {head + "  - id: a\n    patch: {tags: {a: 1}}\n    wehn: x\n", "wehn", 7},
		"a bad enum":      {head + "  - id: a\n    patch: {tags: {a: 1}}\n    mode: audti\n", "enforce", 7},
		"a missing field": {head + "  - patch: {tags: {a: 1}}\n", `Missing property "id"`, 5},
	} {
		t.Run(name, func(t *testing.T) {
			uri := "file://" + filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+".yaml")
			list := s.diagnostics(uri, rules.Modeline+"\n"+c.text)
			if c.want == "" {
				if len(list) > 0 {
					t.Errorf("got %+v", list)
				}
				return
			}
			for _, d := range list {
				if strings.Contains(d.Message, c.want) && d.Range.Start.Line == c.line {
					return
				}
			}
			t.Errorf("got %+v, want %q in line %d", list, c.want, c.line)
		})
	}
	t.Run("completion", func(t *testing.T) {
		uri := "file://" + filepath.Join(dir, "completion.yaml")
		text := rules.Modeline + "\n" + head + "  - id: a\n    \n"
		s.diagnostics(uri, text)
		var list struct{ Items []struct{ Label string } }
		s.call("textDocument/completion", map[string]any{"textDocument": map[string]any{"uri": uri}, "position": map[string]any{"line": 6, "character": 4}}, &list)
		offered := map[string]bool{}
		for _, item := range list.Items {
			offered[item.Label] = true
		}
		for _, want := range []string{"when", "selector", "patch", "tests"} {
			if !offered[want] {
				t.Errorf("it does not offer %s but %v", want, list.Items)
			}
		}
	})
}

// A server is a language server that speaks on its standard streams.
type server struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Reader
	ids int
}

type diagnostic struct {
	Message string
	Range   struct{ Start struct{ Line, Character int } }
}

func startServer(t *testing.T, program, dir string) *server {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", program, "--stdio")
	cmd.WaitDelay = 5 * time.Second
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	s := &server{t: t, in: in, out: bufio.NewReader(out)}
	s.call("initialize", map[string]any{"processId": nil, "rootUri": "file://" + dir, "capabilities": map[string]any{}}, nil)
	s.send(map[string]any{"method": "initialized", "params": map[string]any{}})
	return s
}

func (s *server) send(message map[string]any) {
	s.t.Helper()
	message["jsonrpc"] = "2.0"
	data, err := json.Marshal(message)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(s.in, "Content-Length: %d\r\n\r\n%s", len(data), data); err != nil {
		s.t.Fatal(err)
	}
}

// A message is a request, an answer or a notification of the server.
type message struct {
	ID             json.RawMessage
	Method         string
	Params, Result json.RawMessage
}

func (s *server) read() message {
	s.t.Helper()
	header, err := textproto.NewReader(s.out).ReadMIMEHeader()
	if err != nil {
		s.t.Fatal("the language server ended: ", err)
	}
	size, err := strconv.Atoi(header.Get("Content-Length"))
	if err != nil {
		s.t.Fatal(err)
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(s.out, data); err != nil {
		s.t.Fatal(err)
	}
	var m message
	if err := json.Unmarshal(data, &m); err != nil {
		s.t.Fatal(err)
	}
	return m
}

// next returns the next message that wanted takes, and answers the server's own
// requests meanwhile.
func (s *server) next(wanted func(message) bool) message {
	s.t.Helper()
	for {
		m := s.read()
		if wanted(m) {
			return m
		}
		switch {
		case m.Method == "workspace/configuration":
			var p struct{ Items []any }
			if err := json.Unmarshal(m.Params, &p); err != nil {
				s.t.Fatal(err)
			}
			s.send(map[string]any{"id": m.ID, "result": make([]any, len(p.Items))})
		case m.Method != "" && m.ID != nil:
			s.send(map[string]any{"id": m.ID, "result": nil})
		}
	}
}

func (s *server) call(method string, params any, result any) {
	s.t.Helper()
	s.ids++
	id := fmt.Sprint(s.ids)
	s.send(map[string]any{"id": s.ids, "method": method, "params": params})
	answer := s.next(func(m message) bool { return m.Method == "" && string(m.ID) == id })
	if result != nil {
		if err := json.Unmarshal(answer.Result, result); err != nil {
			s.t.Fatal(err)
		}
	}
}

// diagnostics opens a document and returns what the server says of it.
func (s *server) diagnostics(uri, text string) []diagnostic {
	s.t.Helper()
	s.send(map[string]any{"method": "textDocument/didOpen", "params": map[string]any{
		"textDocument": map[string]any{"uri": uri, "languageId": "yaml", "version": 1, "text": text}}})
	var p struct {
		URI         string
		Diagnostics []diagnostic
	}
	s.next(func(m message) bool {
		return m.Method == "textDocument/publishDiagnostics" && json.Unmarshal(m.Params, &p) == nil && p.URI == uri
	})
	return p.Diagnostics
}
