package emulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"regexp"
	"strings"
)

// Folders returns containers that are folders below dir, for
// [Options.Containers]: https://account.blob.core.windows.net/fleet is
// dir/account.blob.core.windows.net/fleet, which is made when it is not there.
// Signatures in a URI are not looked at. No URI and no blob leads out of dir,
// also not by symbolic links.
func Folders(dir string) func(context.Context, *ContainerAddress) (Container, error) {
	return func(_ context.Context, at *ContainerAddress) (Container, error) {
		name, err := folderOf(at.URI)
		if err != nil {
			return nil, fmt.Errorf("open container: %w", err)
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("open container: %w", err)
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, fmt.Errorf("open container: %w", err)
		}
		defer root.Close()
		if err := root.MkdirAll(name, 0o700); err != nil {
			return nil, fmt.Errorf("open container: %w", err)
		}
		return folder{dir, name}, nil
	}
}

// A folder is a container below dir. It holds no file open.
type folder struct{ dir, name string }

// safePart is what a part of a container's URI may be; a port's colon is changed
// before.
var safePart = regexp.MustCompile(`^[A-Za-z0-9$_-][A-Za-z0-9._-]*$`)

// folderOf returns the folder of a container URI: its host and its path, which
// has the account as well when the service is not in a cloud. Its query, where a
// signature stands, is no part of it.
func folderOf(uri string) (string, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return "", errors.New("the URI is none") // its text may have a signature
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if u.Scheme != "https" && u.Scheme != "http" || len(parts) > 2 {
		return "", fmt.Errorf("%s://%s%s is no container", u.Scheme, u.Host, u.Path)
	}
	parts = append([]string{strings.ReplaceAll(u.Host, ":", "_")}, parts...)
	for _, part := range parts {
		if !safePart.MatchString(part) {
			return "", fmt.Errorf("%s://%s%s is no container", u.Scheme, u.Host, u.Path)
		}
	}
	return path.Join(parts...), nil
}

func (f folder) ReadBlob(_ context.Context, name string) (io.ReadCloser, error) {
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return nil, fmt.Errorf("read blob: %w", err)
	}
	defer root.Close()
	if !fs.ValidPath(name) {
		return nil, fmt.Errorf("read blob: %q is no name", name)
	}
	file, err := root.Open(path.Join(f.name, name))
	if err != nil {
		return nil, fmt.Errorf("read blob: %w", err)
	}
	return file, nil
}

func (f folder) WriteBlob(_ context.Context, name string, r io.Reader) (err error) {
	if !fs.ValidPath(name) || name == "." {
		return fmt.Errorf("write blob: %q is no name", name)
	}
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return fmt.Errorf("write blob: %w", err)
	}
	defer root.Close()
	if err := replaceIn(root, path.Join(f.name, name), r); err != nil {
		return fmt.Errorf("write blob: %w", err)
	}
	return nil
}

// replaceIn writes a file below root and puts it in its place in one step.
func replaceIn(root *os.Root, name string, r io.Reader) (err error) {
	if err := root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return err
	}
	part := name + ".part"
	file, err := root.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, r)
	if err = errors.Join(err, file.Close()); err == nil {
		err = root.Rename(part, name)
	}
	if err != nil {
		_ = root.Remove(part)
	}
	return err
}
