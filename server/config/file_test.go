package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/relay/policy"
)

// write makes a file of the test.
func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sockmux.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The file of the documentation's examples is read whole.
func TestFile(t *testing.T) {
	c := mustLoad(t, []string{"--config", "testdata/full.yaml", "--grace", "3m"}, []string{"SOCKMUX_KEEPALIVE=20s", "SOCKMUX_GRACE=1h"})
	if c.Listen != "127.0.0.1:9000" || c.Prefix != "/sockmux/" || len(c.AllowOrigins) != 2 || !c.Demo || c.MaxSessions != 200 {
		t.Errorf("%+v", *c)
	}
	if c.Grace != 3*time.Minute || c.Keepalive != 20*time.Second {
		t.Errorf("grace %s, keepalive %s: flags and variables are stronger than the file", c.Grace, c.Keepalive)
	}
	if got := c.PolicyNames(); !reflect.DeepEqual(got, []string{"default", "guests", "staff"}) {
		t.Errorf("policies %q", got)
	}
	want := []policy.Rule{rule(t, false, "*:25"), rule(t, true, "db.example.org:5432")}
	if got := c.Policies[DefaultPolicy].Rules; !reflect.DeepEqual(got, want) || !reflect.DeepEqual(c.Rules, want) {
		t.Errorf("default rules %v", got)
	}
	want = []policy.Rule{rule(t, false, "10.9.0.0/16"), rule(t, true, "10.0.0.0/8:5432-5433"), rule(t, true, "[fd00::]/8")}
	staff, guests := c.Policies["staff"], c.Policies["guests"]
	if !reflect.DeepEqual(staff.Rules, want) {
		t.Errorf("staff rules %v", staff.Rules)
	}
	// A limit that a policy does not set is the server's.
	if staff.Limits.Streams != 512 || staff.Limits.Opens != 20 || guests.Limits.Streams != 8 || guests.Limits.Opens != 20 || guests.Limits.BytesPerDay != 1_000_000_000 {
		t.Errorf("staff %+v, guests %+v", staff.Limits, guests.Limits)
	}
}

// --allow and --deny are the default policy.
func TestFlagsAreTheDefaultPolicy(t *testing.T) {
	path := write(t, "policies: {default: {limits: {max-streams: 3}}}")
	c := mustLoad(t, []string{"--config", path, "--allow", "a.example:1"}, nil)
	if p := c.Policies[DefaultPolicy]; len(p.Rules) != 1 || p.Limits.Streams != 3 {
		t.Errorf("%+v", p)
	}
}

func TestEmptyFiles(t *testing.T) {
	for _, content := range []string{"", "# nothing\n", "limits:\npolicies:\n", "---\n", "{}"} {
		if c := mustLoad(t, []string{"--config", write(t, content)}, nil); c.Limits != Default().Limits {
			t.Errorf("%q: %+v", content, c.Limits)
		}
	}
}

// Each testdata/invalid-NAME.yaml has the wanted text beside it, in invalid-NAME.txt. The
// texts are pinned: operators search for them.
func TestInvalidFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/invalid-*.yaml")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		want, err := os.ReadFile(strings.TrimSuffix(file, ".yaml") + ".txt")
		if err != nil {
			t.Error(err)
			continue
		}
		_, err = Load([]string{"--config", file}, nil)
		if err == nil {
			t.Errorf("%s is taken", file)
			continue
		}
		if got := strings.ReplaceAll(err.Error(), filepath.ToSlash(file), filepath.Base(file)) + "\n"; got != string(want) {
			t.Errorf("%s:\n got %s\nwant %s", file, got, want)
		}
	}
}

func TestRulesInTwoPlaces(t *testing.T) {
	path := write(t, "policies:\n  default:\n    rules:\n      - deny: '*:25'\n")
	_, err := Load([]string{"--config", path, "--deny", "a.example"}, nil)
	if want := "--deny: makes the policy default, which has rules already (" + path + ":2): say them in one place"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestLongFile(t *testing.T) {
	path := write(t, strings.Repeat("# nothing\n", maxFile/10+1))
	_, err := Load([]string{"--config", path}, nil)
	if want := `--config: "` + path + `" is longer than 1048576 bytes: want a YAML file`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestRestart(t *testing.T) {
	load := func(args ...string) *Config { return mustLoad(t, args, nil) }
	old := load()
	if names := load("--max-streams", "4", "--allow", "a.example:1", "--allow-origin", "null", "--max-sessions", "600").Restart(old); names != nil {
		t.Errorf("%q need a restart", names)
	}
	if names := load("--listen", "127.0.0.1:1", "--log-level", "warn").Restart(old); !reflect.DeepEqual(names, []string{"listen", "log-level"}) {
		t.Errorf("got %q", names)
	}
}

func FuzzFile(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		c := Default()
		settings := settingsOf(&c)
		given, policies, mistakes := parseFile(settings, "f", content)
		mistakes = append(mistakes, apply(settings, given)...)
		mistakes = append(mistakes, c.addPolicies(policies, given)...)
		for _, m := range mistakes {
			if m.Source == "" || m.Text == "" {
				t.Errorf("%q has no place or no text", m)
			}
		}
		if len(mistakes) > 0 {
			return
		}
		// What was taken can be printed, and is taken again.
		again := Default()
		settings = settingsOf(&again)
		printed := c.Print()
		given, policies, mistakes = parseFile(settings, "f", []byte(printed))
		mistakes = append(mistakes, apply(settings, given)...)
		mistakes = append(mistakes, again.addPolicies(policies, given)...)
		if len(mistakes) > 0 || again.Print() != printed {
			t.Errorf("%v\n%s", mistakes, printed)
		}
	})
}
