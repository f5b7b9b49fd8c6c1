package cli

import (
	"bytes"
	"context"
	"net"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/server/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// command runs the command to its end.
func command(args, environment []string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = Run(context.Background(), args, environment, strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

func TestUsage(t *testing.T) {
	const beyond = ` is reachable from other machines without authentication: set --token-file, listen on 127.0.0.1 behind a proxy that authenticates, or set --insecure-no-auth`
	for _, test := range []struct {
		args, environment, want string
	}{
		{"--listen 0.0.0.0:0", "", `sockmux: --listen: "0.0.0.0:0"` + beyond + "\n"},
		{"--listen :0", "", `sockmux: --listen: ":0"` + beyond + "\n"},
		{"", "SOCKMUX_LISTEN=[::]:0", `sockmux: SOCKMUX_LISTEN: "[::]:0"` + beyond + "\n"},
		{"--lisen :0", "", "sockmux: --lisen: no such flag: did you mean --listen?\n"},
		{"--log-level loud --log-format xml", "", "sockmux: --log-level: \"loud\" is not known: want debug, info, warn or error\nsockmux: --log-format: \"xml\" is not known: want auto, text or json\n"},
		{"--check-config --grace 1", "", "sockmux: --grace: \"1\" is not a time: want a time from 100ms to 24h, such as 500ms, 30s or 2m, or 0 for not at all\n"},
	} {
		code, stdout, stderr := command(strings.Fields(test.args), strings.Fields(test.environment))
		if code != 64 || stdout != "" || stderr != test.want {
			t.Errorf("%s %s: exit code %d, stdout %q, stderr\n%s\nwant\n%s", test.args, test.environment, code, stdout, stderr, test.want)
		}
	}
}

func TestPortTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()
	code, stdout, stderr := command([]string{"--listen", address, "--assets-dir", servertest.BuildFolder(t), "--log-level", "error"}, nil)
	if want := "sockmux: listen tcp " + address + ": bind: address already in use\n"; code != 1 || stdout != "" || stderr != want {
		t.Errorf("exit code %d, stdout %q, stderr %q, want %q", code, stdout, stderr, want)
	}
}

func TestModes(t *testing.T) {
	if code, stdout, stderr := command([]string{"--help"}, nil); code != 0 || stdout != config.Help()+helpOfSubcommands() || stderr != "" {
		t.Errorf("--help: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	for _, s := range subcommands() {
		for _, flag := range []string{"--help", "-h"} {
			if code, stdout, stderr := command(append(strings.Fields(s.name), flag), nil); code != 0 || stdout != "Usage:\n"+s.help() || stderr != "" {
				t.Errorf("%s %s: exit code %d, stdout %q, stderr %q", s.name, flag, code, stdout, stderr)
			}
		}
	}
	for line := range strings.Lines(helpOfSubcommands()) {
		if len(strings.TrimSuffix(line, "\n")) > 80 {
			t.Errorf("longer than 80 columns: %s", line)
		}
	}
	if code, stdout, stderr := command([]string{"--version"}, nil); code != 0 || !regexp.MustCompile(`^sockmux \S+ go1\.\S+ \w+/\w+\n$`).MatchString(stdout) || stderr != "" {
		t.Errorf("--version: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	code, stdout, stderr := command([]string{"--check-config", "--allow-origin", "*"}, []string{"SOCKMUX_GRASE=1m"})
	const warnings = "sockmux: warning: SOCKMUX_GRASE is not a setting of sockmux and is ignored: did you mean SOCKMUX_GRACE?\n" +
		"sockmux: warning: --allow-origin: * lets every website that a user visits open connections from this machine\n"
	if code != 0 || stdout != "the configuration is good\n" || stderr != warnings {
		t.Errorf("--check-config: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if code, stdout, _ := command([]string{"--print-config", "--allow", "a.example:1"}, []string{"SOCKMUX_GRACE=1m"}); code != 0 || !strings.Contains(stdout, "- allow: a.example:1\n") || !strings.Contains(stdout, "  grace: 1m\n") {
		t.Errorf("--print-config: exit code %d, stdout %q", code, stdout)
	}
}

func TestListenWithTokens(t *testing.T) {
	f := servertest.NewFolder(t)
	_, line := servertest.NewToken(t, "alice", "")
	f.Put("tokens", line)
	if code, stdout, stderr := command([]string{"--check-config", "--listen", ":0", "--token-file", f.File("tokens")}, nil); code != 0 {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}
