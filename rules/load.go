package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Version is the apiVersion of the language that this package reads.
const Version = "twinrules/v1"

// ConfigFile is the name of the command's own configuration file, which may
// lie beside a pack and is not part of it.
const ConfigFile = "twinrules.yaml"

// Load reads the pack whose files lie in fsys: every *.yaml and *.yml at its
// top, of which exactly one has kind RulePack, and [LockFile]. When files have mistakes the
// error is a [Diagnostics] that lists all that can be found without compiling
// expressions. The returned pack then holds what could be read, so that
// [Compile] can go on to find the rest.
func Load(fsys fs.FS) (*Pack, error) {
	names, err := packFiles(fsys)
	if err != nil {
		return nil, err
	}
	l := &loader{pack: &Pack{FS: fsys}, defaults: defaults{Enforce, DefaultRuleLimits()}}
	l.pack.reporter = &l.reporter
	digest := sha256.New()
	for _, name := range names {
		data, err := readLimited(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read pack: %w", err)
		}
		fmt.Fprintf(digest, "%d %s %d ", len(name), name, len(data))
		digest.Write(data)
		l.file(name, data)
	}
	if err := l.lock(fsys, digest); err != nil {
		return nil, err
	}
	l.finish(names)
	l.pack.Digest = "sha256:" + hex.EncodeToString(digest.Sum(nil))
	if found := l.sorted(); len(found) > 0 {
		return l.pack, found
	}
	return l.pack, nil
}

func packFiles(fsys fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("read pack: %w", err)
	}
	var names []string
	for _, e := range entries {
		ext := path.Ext(e.Name())
		if e.IsDir() || ext != ".yaml" && ext != ".yml" || e.Name() == ConfigFile {
			continue
		}
		names = append(names, e.Name())
	}
	if len(names) == 0 {
		return nil, errors.New("read pack: no .yaml file here")
	}
	return names, nil
}

// readLimited reads one more byte than a file may have, so that a larger one is
// noticed and not read.
func readLimited(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("%s is not a regular file", name), err)
	}
	return io.ReadAll(io.LimitReader(f, maxFileSize+1))
}

// A loader reads the files of one pack into it.
type loader struct {
	reporter
	pack     *Pack
	defaults defaults
	heads    []setting // of the files of kind RulePack
	rules    []setting // read after defaults are known
	counted  []setting // names of rules in tests
}

// defaults are what rules have unless they say otherwise.
type defaults struct {
	mode   Mode
	limits Limits
}

func (l *loader) file(name string, data []byte) {
	root, ok := l.readDocument(name, data)
	if !ok {
		return
	}
	m := root.shaped(packShape)
	if !m.exists() {
		return
	}
	if v := m.need("apiVersion"); v.exists() {
		v.word("", Version)
	}
	switch m.need("kind").word("", kindPack, kindRules) {
	case kindPack:
		l.heads = append(l.heads, m.values["kind"])
		l.head(m)
	case kindRules:
	default:
		return
	}
	l.rules = append(l.rules, m.get("rules").list()...)
	m.done()
}

// head reads what only the file of kind RulePack has.
func (l *loader) head(m *mapping) {
	meta := m.need("metadata").shaped(metadataShape)
	l.pack.Name = meta.need("name").name()
	l.pack.Owner = meta.get("owner").text()
	l.pack.Description = meta.get("description").text()
	meta.done()
	l.pack.Vars = m.get("vars").object()
	d := m.get("defaults").shaped(defaultsShape)
	l.defaults.mode = readMode(d.get("mode"), Enforce)
	l.defaults.limits = readLimits(d.get("limits"), DefaultRuleLimits())
	d.done()
	l.pack.Limits = readLimits(m.get("limits"), DefaultPackLimits())
	l.pack.Schedule = readSchedule(m.get("schedule"))
	l.plugins(m.get("plugins").mapping())
	l.snapshotTests(m.get("tests"))
}

func readMode(s setting, fallback Mode) Mode {
	return Mode(s.word(string(fallback), modes...))
}

func readLimits(s setting, limits Limits) Limits {
	m := s.shaped(limitsShape)
	if n, ok := m.get("maxTwins").whole(0, largestCount); ok {
		limits.MaxTwins = n
	}
	if n, ok := m.get("maxPercent").whole(0, 100); ok {
		limits.MaxPercent = n
	}
	if n, ok := m.get("minPopulation").whole(0, largestCount); ok {
		limits.MinPopulation = n
	}
	if n, ok := m.get("maxShrink").whole(0, 100); ok {
		limits.MaxShrink = n
	}
	m.done()
	return limits
}

func (l *loader) plugins(m *mapping) {
	for _, key := range m.keys {
		p := m.get(key.node.Value).shaped(pluginSourceShape)
		plugin := &PluginSource{Name: key.name(), Pos: key.pos(), at: key, digest: p.get("digest")}
		plugin.Digest = plugin.digest.text()
		plugin.Source = readPluginSource(p.need("source"))
		plugin.Verify = readVerify(p.get("verify"), plugin)
		if plugin.digest.exists() && !isDigest(plugin.Digest) {
			plugin.digest.report(BadPlugin, "", `%q is not "sha256:" and 64 hexadecimal digits`, plugin.Digest)
		}
		p.done()
		l.pack.Plugins = append(l.pack.Plugins, plugin)
	}
}

func isDigest(s string) bool {
	digits, ok := strings.CutPrefix(s, "sha256:")
	_, err := hex.DecodeString(digits)
	return ok && err == nil && len(digits) == sha256.Size*2
}

// finish reads the rules, now that the defaults are known, and checks what
// concerns the pack as a whole.
func (l *loader) finish(files []string) {
	if len(l.heads) == 0 && len(l.found) == 0 {
		l.add(&Diagnostic{Pos: Pos{files[0], 1, 1}, Width: 1, Code: NoPack, Message: "no file of the pack has kind RulePack"})
	}
	for _, extra := range l.heads[min(1, len(l.heads)):] {
		extra.report(NoPack, "make it kind Rules", "a second file of kind RulePack; the first is %s", l.heads[0].pos().File)
	}
	for _, s := range l.rules {
		before := len(l.found)
		r := l.rule(s)
		r.mistaken = len(l.found) > before
		if slices.ContainsFunc(l.pack.Rules, func(other *Rule) bool { return other.ID == r.ID && r.ID != "" }) {
			r.reportHere(DuplicateID, "", "a second rule with the id %q", r.ID)
		}
		l.pack.Rules = append(l.pack.Rules, r)
	}
	l.checkCounted()
}
