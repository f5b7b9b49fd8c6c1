package product

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

const (
	module = "github.com/sockmux/sockmux"
	// command is the import path of the server.
	command = module + "/cmd/sockmux"
)

// Binary returns the path of the assembled server. The first call of a test process builds
// it; later calls and other processes find it there, as long as the source is the same.
var Binary = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("SOCKMUX_BINARY"); path != "" {
		return path, nil
	}
	// The examples' tests are of another module.
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return "", fmt.Errorf("go list -m %s: %w", module, err)
	}
	root := strings.TrimSpace(string(dir))
	if err := touch(root); err != nil {
		return "", err
	}
	return build(root)
})

// touch opens the folders that the server is built from. The go command then knows that the
// test's result depends on them, and does not take an older result from its cache.
func touch(root string) error {
	for _, top := range []string{"cmd", "server", "shared", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, _ fs.DirEntry, err error) error { return err })
		if err != nil {
			return err
		}
	}
	return nil
}

// build builds the server in bin/test below root. Test processes share the result, since
// linking takes seconds; go build does nothing where the file is up to date.
func build(root string) (path string, err error) {
	dir := filepath.Join(root, "bin", "test")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	held, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	if err := lock(held); err != nil {
		return "", fmt.Errorf("lock %s: %w", held.Name(), err)
	}
	path = filepath.Join(dir, "sockmux")
	args := []string{"build", "-o", path}
	if Race {
		path += "-race"
		args = []string{"build", "-race", "-o", path}
	}
	build := exec.Command("go", append(args, command)...)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
}
