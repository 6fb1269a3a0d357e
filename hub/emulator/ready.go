package emulator

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Ready is what another process needs to use an emulator. As JSON it is the
// file ready.json.
type Ready struct {
	HubName          string `json:"hubName"`
	HubAddr          string `json:"hubAddr"`
	CA               string `json:"ca"` // the path of a PEM file, absolute
	Authority        string `json:"authority"`
	Tenant           string `json:"tenant"`
	Client           string `json:"client"`
	Secret           string `json:"secret"`
	ConnectionString string `json:"connectionString"`
}

// WriteReady writes ca.pem and then ready.json into dir, which it makes, and
// returns what ready.json says. Only the user may read that one, and a reader
// finds it whole or not at all.
func (e *Emulator) WriteReady(dir string) (*Ready, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make emulator directory: %w", err)
	}
	r := &Ready{
		HubName: e.HubName(), HubAddr: e.HubAddr(), CA: filepath.Join(dir, "ca.pem"),
		Authority: e.Authority(), Tenant: e.Tenant(), Client: e.Client(), Secret: e.Secret(),
		ConnectionString: e.ConnectionString(),
	}
	if err := writeFile(r.CA, e.CA(), 0o644); err != nil {
		return nil, err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("write ready file: %w", err)
	}
	return r, writeFile(filepath.Join(dir, "ready.json"), append(text, '\n'), 0o600)
}

// writeFile replaces a file in one step.
func writeFile(path string, data []byte, mode os.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // made for the user alone
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	if _, err = f.Write(data); err != nil {
		_ = f.Close()
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Chmod(f.Name(), mode); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
