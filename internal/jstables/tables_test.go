package jstables

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/wire"
)

var update = flag.Bool("update", false, "write the files anew")

const root = "../.."

// TestFiles: the committed files are those that the packages give.
func TestFiles(t *testing.T) {
	files, err := Files(root)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range files {
		path = filepath.Join(root, path)
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is stale (%v): go generate ./internal/jstables", path, err)
		}
	}
}

// TestNothingElse: a file that is no longer written does not stay.
func TestNothingElse(t *testing.T) {
	files, err := Files(root)
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(root + "/js/src/wire/generated/*")
	if err != nil || len(found) == 0 {
		t.Fatalf("%q, %v", found, err)
	}
	for _, path := range found {
		if _, ok := files[strings.TrimPrefix(path, root+"/")]; !ok {
			t.Errorf("%s is not written any more", path)
		}
	}
}

// TestFakeNetwork: JavaScript tells made-up addresses by their first two bytes.
func TestFakeNetwork(t *testing.T) {
	if !strings.HasSuffix(wire.FakeNetwork, ".0.0/16") {
		t.Errorf("%s is no prefix of two bytes", wire.FakeNetwork)
	}
}

// TestTypes: the types that pages see name every code, state and level.
func TestTypes(t *testing.T) {
	types, err := os.ReadFile(root + "/js/types/sockmux.d.ts")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range wire.Codes() {
		names = append(names, c.String())
	}
	phases := []string{client.Idle.String(), "loading"} // what the page has itself: loading, failed
	for p := client.Connecting; p <= client.Closed; p++ {
		phases = append(phases, p.String())
	}
	for _, want := range []string{
		"export type Code =\n\t| '" + strings.Join(names, "'\n\t| '") + "';\n",
		"export type State = '" + strings.Join(append(phases, "failed"), "' | '") + "';\n",
		"level: '" + strings.Join(levels[:], "' | '") + "';\n",
	} {
		if !bytes.Contains(types, []byte(want)) {
			t.Errorf("js/types/sockmux.d.ts lacks\n%s", want)
		}
	}
}
