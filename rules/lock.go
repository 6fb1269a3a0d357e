package rules

import (
	"bytes"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"maps"
	"slices"

	"github.com/twinrules/twinrules/hub/twin"
)

// LockFile is the name of the file, beside those of a pack, that says which
// modules its plugins are.
const LockFile = "twinrules.lock"

// A Lock says for each plugin of a pack, by its name there, which module it is.
type Lock map[string]Locked

// A Locked is one plugin of a [Lock].
type Locked struct {
	Source   string // a path in the pack
	Digest   string // "sha256:…" of the module
	Manifest string // "sha256:…" of the manifest in it, "" when there is none
}

const lockKind = "PluginLock"

// ParseLock reads a lock file strictly.
func ParseLock(data []byte) (Lock, error) {
	doc, err := twin.DecodeObject(data)
	if err != nil {
		return nil, err
	}
	if doc["apiVersion"] != Version || doc["kind"] != lockKind {
		return nil, fmt.Errorf("it is no %s of %s", lockKind, Version)
	}
	entries, ok := doc["plugins"].(twin.Object)
	if !ok || len(doc) != 3 {
		return nil, errors.New("it has other members than apiVersion, kind and plugins")
	}
	lock := Lock{}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		if lock[name], err = parseLocked(entries[name]); err != nil {
			return nil, fmt.Errorf("plugin %s: %w", name, err)
		}
	}
	return lock, nil
}

func parseLocked(v any) (l Locked, err error) {
	doc, ok := v.(twin.Object)
	if !ok {
		return l, errors.New("not an object")
	}
	for _, key := range slices.Sorted(maps.Keys(doc)) {
		text, ok := doc[key].(string)
		switch {
		case ok && key == "source":
			l.Source = text
		case ok && key == "digest" && isDigest(text):
			l.Digest = text
		case ok && key == "manifest" && isDigest(text):
			l.Manifest = text
		default:
			return l, fmt.Errorf("%s is unknown or not what it should be", key)
		}
	}
	if l.Source == "" || l.Digest == "" {
		return l, errors.New("it lacks source or digest")
	}
	return l, nil
}

// Format writes the lock as a file: a line for each plugin, in the order of their
// names, so that a change shows as the lines that it is about.
func (l Lock) Format() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n  \"apiVersion\": %q,\n  \"kind\": %q,\n  \"plugins\": {", Version, lockKind)
	for i, name := range slices.Sorted(maps.Keys(l)) {
		if i > 0 {
			b.WriteString(",")
		}
		p := l[name]
		fmt.Fprintf(&b, "\n    %s: {\"source\": %s, \"digest\": %q", twin.Encode(name), twin.Encode(p.Source), p.Digest)
		if p.Manifest != "" {
			fmt.Fprintf(&b, ", \"manifest\": %q", p.Manifest)
		}
		b.WriteString("}")
	}
	b.WriteString("\n  }\n}\n")
	return b.Bytes()
}

// toLock is the next step where a plugin is not locked as the pack has it.
const toLock = "twinrules plugin lock writes " + LockFile + " anew; look at the change before you commit it"

// lock gives the plugins of the pack the digests that the lock file names, which
// is a part of the pack's own digest.
func (l *loader) lock(fsys fs.FS, digest hash.Hash) error {
	data, err := readLimited(fsys, LockFile)
	if errors.Is(err, fs.ErrNotExist) {
		l.locked(Lock{})
		return nil
	}
	if err != nil {
		return fmt.Errorf("read pack: %w", err)
	}
	fmt.Fprintf(digest, "%d %s %d ", len(LockFile), LockFile, len(data))
	digest.Write(data)
	lock, err := ParseLock(data)
	if len(data) > maxFileSize {
		err = fmt.Errorf("it has more than %d bytes", maxFileSize)
	}
	if err != nil {
		l.add(&Diagnostic{Pos: Pos{LockFile, 1, 1}, Width: 1, Code: BadPlugin, Message: Excerpt(err.Error(), maxMessage), Hint: toLock})
		return nil
	}
	l.locked(lock)
	return nil
}

func (l *loader) locked(lock Lock) {
	for _, p := range l.pack.Plugins {
		entry, known := lock[p.Name]
		switch {
		case !known && !p.digest.exists():
			p.at.report(BadPlugin, toLock, "plugin %q has no digest here, and %s does not name it", p.Name, LockFile)
		case !known:
		case entry.Source != p.Source:
			p.at.report(BadPlugin, toLock, "plugin %q is %s here and %s in %s", p.Name, p.Source, entry.Source, LockFile)
		case p.digest.exists() && p.Digest != entry.Digest:
			p.digest.report(BadPlugin, toLock, "plugin %q has another digest in %s", p.Name, LockFile)
		default:
			p.Digest = entry.Digest
		}
	}
}

// Stated returns the digest that the pack itself states, "" when its lock file has
// to.
func (p *PluginSource) Stated() string { return p.digest.text() }
