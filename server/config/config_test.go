package config

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/server/session/limit"
)

func mustLoad(t *testing.T, args, environment []string) *Config {
	t.Helper()
	c, err := Load(args, environment)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefaults(t *testing.T) {
	c := mustLoad(t, nil, nil)
	want := Default()
	want.Policies = map[string]Policy{DefaultPolicy: {Name: DefaultPolicy, Limits: want.Limits}}
	if !reflect.DeepEqual(*c, want) {
		t.Errorf("got %+v\nwant %+v", *c, want)
	}
	if len(c.Warnings) != 0 {
		t.Errorf("warnings %q", c.Warnings)
	}
}

func TestEveryFlag(t *testing.T) {
	webR, assets := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(webR, "webr.js"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	c := mustLoad(t, []string{
		"--listen", ":0", "--prefix=/sockmux", "--insecure-no-auth",
		"--allow-origin", "https://a.example", "--allow-origin=http://localhost:*",
		"--allow", "a.example:1", "--deny", "b.example:*", "--allow", "127.0.0.1:2", "--demo", "--dial-timeout", "5s",
		"--max-sessions", "7", "--max-parked", "6", "--max-unacknowledged", "3000000", "--max-streams", "5", "--idle-timeout", "0", "--keepalive", "15s", "--grace", "1m", "--drain-delay", "2s", "--drain-timeout", "33s",
		"--handshake-timeout", "4s", "--max-sessions-per-client", "3", "--session-idle-timeout", "9m", "--session-lifetime", "8h", "--opens-per-second", "20",
		"--bytes-per-second", "2M", "--bytes-per-day", "3GiB", "--stream-lifetime", "4h",
		"--webr", webR, "--assets-dir", assets, "--log-level", "WARN", "--log-format", "json",
	}, nil)
	origins := make([]string, len(c.AllowOrigins))
	for i, p := range c.AllowOrigins {
		origins[i] = p.String()
	}
	if got := strings.Join(origins, " "); got != "https://a.example http://localhost:*" {
		t.Errorf("origins %s", got)
	}
	wantRules := []policy.Rule{rule(t, true, "a.example:1"), rule(t, false, "b.example:*"), rule(t, true, "127.0.0.1:2")}
	if !reflect.DeepEqual(c.Rules, wantRules) {
		t.Errorf("rules %+v, want %+v", c.Rules, wantRules)
	}
	got := *c
	got.AllowOrigins, got.Rules, got.Policies = nil, nil, nil
	want := Config{
		Egress: Default().Egress, Tracing: Default().Tracing,
		Listen: ":0", Prefix: "/sockmux/", InsecureNoAuth: true, Demo: true,
		MaxSessions: 7, MaxParked: 6, MaxUnacknowledged: 3000000, Keepalive: 15 * time.Second, Grace: time.Minute, DrainDelay: 2 * time.Second, DrainTimeout: 33 * time.Second, HandshakeTimeout: 4 * time.Second,
		Limits: limit.Limits{
			Sessions: 3, Streams: 5, Listeners: 16, Opens: 20, BytesPerSecond: 2_000_000, BytesPerDay: 3 << 30,
			SessionIdle: 9 * time.Minute, SessionLifetime: 8 * time.Hour, StreamLifetime: 4 * time.Hour, DialTimeout: 5 * time.Second,
		},
		LogLevel: slog.LevelWarn, LogFormat: LogJSON, WebR: webR, AssetsDir: assets,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func rule(t *testing.T, allow bool, text string) policy.Rule {
	t.Helper()
	r, err := policy.ParseRule(allow, text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestModes(t *testing.T) {
	for flag, want := range map[string]Mode{"--help": PrintHelp, "-h": PrintHelp, "--version": PrintVersion, "--check-config": CheckOnly, "--print-config": PrintConfig} {
		if c := mustLoad(t, []string{flag}, nil); c.Mode != want {
			t.Errorf("%s: mode %d, want %d", flag, c.Mode, want)
		}
	}
	// With --help, mistakes are not reported.
	if c := mustLoad(t, []string{"--help", "--listen", "nowhere"}, nil); c.Mode != PrintHelp {
		t.Errorf("mode %d, want help", c.Mode)
	}
}

// The texts are pinned: operators search for them.
func TestMistakes(t *testing.T) {
	empty := t.TempDir()
	file := filepath.Join(empty, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, badRule := policy.ParseRule(true, "[::1")
	if badRule == nil {
		t.Fatal("policy takes [::1 for a target")
	}
	const address = ": want HOST:PORT, such as 127.0.0.1:8088, [::1]:8088 or :8088 for every interface"
	const beyond = ` is reachable from other machines without authentication: set --token-file, listen on 127.0.0.1 behind a proxy that authenticates, or set --insecure-no-auth`
	const pattern = `: want SCHEME://HOST or SCHEME://HOST:PORT, such as https://app.example.com, https://*.example.com or http://localhost:*; "*" is every page, "null" pages without an origin`
	for _, test := range []struct {
		args, environment, want string
	}{
		{"--listen 8088", "", `--listen: "8088" is not an address to listen on` + address},
		{"--listen localhost:http", "", `--listen: "localhost:http" has no port from 0 to 65535` + address},
		{"--listen localhost:65536", "", `--listen: "localhost:65536" has no port from 0 to 65535` + address},
		{"--listen :8088", "", `--listen: ":8088"` + beyond},
		{"--listen 0.0.0.0:8088", "", `--listen: "0.0.0.0:8088"` + beyond},
		{"--listen mux.example.com:8088", "", `--listen: "mux.example.com:8088"` + beyond},
		{"", "SOCKMUX_LISTEN=[::]:8088", `SOCKMUX_LISTEN: "[::]:8088"` + beyond},
		{"--prefix sockmux", "", `--prefix: "sockmux" is not a path: want / or a path of letters, digits and -._~, such as /sockmux/`},
		{"--prefix /a/../b", "", `--prefix: "/a/../b" is not a path: want / or a path of letters, digits and -._~, such as /sockmux/`},
		{"--prefix /a//b", "", `--prefix: "/a//b" is not a path: want / or a path of letters, digits and -._~, such as /sockmux/`},
		{"--prefix /%41", "", `--prefix: "/%41" is not a path: want / or a path of letters, digits and -._~, such as /sockmux/`},
		{"--insecure-no-auth=perhaps", "", `--insecure-no-auth: "perhaps" is not a boolean: want true or false`},
		{"--allow-origin example.com", "", `--allow-origin: "example.com"` + pattern},
		{"--allow [::1", "", `--allow: "[::1": ` + badRule.Error()},
		{"--deny [::1", "", `--deny: "[::1": ` + badRule.Error()},
		{"--dial-timeout 10", "", `--dial-timeout: "10" is not a time: want a time from 100ms to 10m, such as 500ms, 30s or 2m`},
		{"--dial-timeout 0", "", `--dial-timeout: "0" is out of range: want a time from 100ms to 10m, such as 500ms, 30s or 2m`},
		{"--dial-timeout 11m", "", `--dial-timeout: "11m" is out of range: want a time from 100ms to 10m, such as 500ms, 30s or 2m`},
		{"--idle-timeout -1s", "", `--idle-timeout: "-1s" is out of range: want a time from 100ms to 720h, such as 500ms, 30s or 2m, or 0 for never`},
		{"--keepalive 1ms", "", `--keepalive: "1ms" is out of range: want a time from 1s to 5m, such as 500ms, 30s or 2m`},
		{"--grace 25h", "", `--grace: "25h" is out of range: want a time from 100ms to 24h, such as 500ms, 30s or 2m, or 0 for not at all`},
		{"--drain-timeout soon", "", `--drain-timeout: "soon" is not a time: want a time from 100ms to 24h, such as 500ms, 30s or 2m, or 0 for none`},
		{"--max-sessions 0", "", `--max-sessions: "0" is out of range: want a whole number from 1 to 1000000`},
		{"--max-streams many", "", `--max-streams: "many" is out of range: want a whole number from 1 to 65536`},
		{"--bytes-per-second 1 --bytes-per-day x", "", `--bytes-per-second: "1" is out of range: want a number of bytes, such as 0, 500k, 20M, 2G, 64KiB or 1MiB, at least 1k and at most 1024TiB
--bytes-per-day: "x" is not a size: want a number of bytes, such as 0, 500k, 20M, 2G, 64KiB or 1MiB`},
		{"--config " + empty + "/none.yaml", "", `--config: "` + empty + `/none.yaml" cannot be read (no such file or directory): want a YAML file`},
		{"", "SOCKMUX_CONFIG=" + empty, `SOCKMUX_CONFIG: "` + empty + `" cannot be read (is a directory): want a YAML file`},
		{"--max-unacknowledged 1000", "", `--max-unacknowledged: "1000" is out of range: want a whole number from 2097152 to 268435456`},
		{"--max-parked 1001", "", `--max-parked: 1001 is more than the 1000 of --max-sessions, which counts them too`},
		{"--max-sessions 10 --max-parked 11", "", `--max-parked: 11 is more than the 10 of --max-sessions, which counts them too`},
		{"--log-level loud", "", `--log-level: "loud" is not known: want debug, info, warn or error`},
		{"--log-format xml", "", `--log-format: "xml" is not known: want auto, text or json`},
		{"--webr " + empty, "", `--webr: "` + empty + `" has no webr.js: want the folder dist of the npm package webr`},
		{"--webr " + empty + "/none", "", `--webr: "` + empty + `/none" cannot be read (no such file or directory): want the folder dist of the npm package webr`},
		{"--assets-dir " + file, "", `--assets-dir: "` + file + `" is not a folder: want the folder that the build fills, such as server/gateway/assets/dist`},
		{"--lisen :1", "", `--lisen: no such flag: did you mean --listen?`},
		{"--fly-to-the-moon", "", `--fly-to-the-moon: no such flag: see sockmux --help`},
		{"-x", "", `-x: no such flag: see sockmux --help`},
		{"--listen", "", `--listen: needs a value: --listen HOST:PORT`},
		{"8088", "", `8088: not expected: settings are flags, see sockmux --help`},
		// All mistakes at once, the flags' first; a variable that a flag overrules is not read.
		{"--log-level loud --grace 1", "SOCKMUX_LOG_LEVEL=louder SOCKMUX_KEEPALIVE=x", `--log-level: "loud" is not known: want debug, info, warn or error
--grace: "1" is not a time: want a time from 100ms to 24h, such as 500ms, 30s or 2m, or 0 for not at all
SOCKMUX_KEEPALIVE: "x" is not a time: want a time from 1s to 5m, such as 500ms, 30s or 2m`},
		// The same for mistakes that show only in the end.
		{"--listen :1 --max-parked 2 --max-sessions 1", "", `--listen: ":1"` + beyond + "\n" + `--max-parked: 2 is more than the 1 of --max-sessions, which counts them too`},
	} {
		c, err := Load(strings.Fields(test.args), strings.Fields(test.environment))
		if err == nil {
			t.Errorf("%s %s: no error, config %+v", test.args, test.environment, c)
			continue
		}
		if err.Error() != test.want {
			t.Errorf("%s %s:\n got %s\nwant %s", test.args, test.environment, err, test.want)
		}
		var mistake *Error
		if !errors.As(err, &mistake) || mistake.Source == "" || mistake.Text == "" {
			t.Errorf("%s %s: %#v holds no *Error", test.args, test.environment, err)
		}
	}
}

func TestListenWithoutAuthentication(t *testing.T) {
	for _, address := range []string{"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1", "LOCALHOST:1", "[::ffff:127.0.0.1]:1"} {
		mustLoad(t, []string{"--listen", address}, nil)
	}
	if c := mustLoad(t, []string{"--listen", "0.0.0.0:1", "--insecure-no-auth"}, nil); len(c.Warnings) != 0 {
		t.Errorf("warnings %q", c.Warnings)
	}
}

func TestWarnings(t *testing.T) {
	c := mustLoad(t, []string{"--insecure-no-auth", "--allow-origin", "*"}, []string{"SOCKMUX_GRASE=1m", "SOCKMUX_CARS=2", "SOCKMUX_PORT=tcp://10.0.0.1:1", "SOCKMUX_SERVICE_HOST=10.0.0.1", "HOME=/"})
	want := []string{
		"SOCKMUX_CARS is not a setting of sockmux and is ignored",
		"SOCKMUX_GRASE is not a setting of sockmux and is ignored: did you mean SOCKMUX_GRACE?",
		"--insecure-no-auth changes nothing: 127.0.0.1:8088 is loopback",
		"--allow-origin: * lets every website that a user visits open connections from this machine",
	}
	if !reflect.DeepEqual(c.Warnings, want) {
		t.Errorf("got %q\nwant %q", c.Warnings, want)
	}
}
