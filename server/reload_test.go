package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/auth"
	"github.com/sockmux/sockmux/shared/wire"
)

// folder is the operator's folder of a test.
type folder struct {
	t    *testing.T
	path string
}

func newFolder(t *testing.T) folder { return folder{t, t.TempDir()} }

func (f folder) file(name string) string { return filepath.Join(f.path, name) }

// put writes a file anew, with a time of its own, so that the change is seen whatever the clock of the file system.
func (f folder) put(name, content string) {
	f.t.Helper()
	if err := os.WriteFile(f.file(name), []byte(content), 0o600); err != nil {
		f.t.Fatal(err)
	}
	puts++
	stamp := time.Now().Add(time.Duration(puts) * time.Second)
	if err := os.Chtimes(f.file(name), stamp, stamp); err != nil {
		f.t.Fatal(err)
	}
}

var puts int

// newToken returns a token and its line in the file.
func newToken(t *testing.T, name, policy string) (token, line string) {
	t.Helper()
	token = auth.NewToken()
	line, err := auth.Line(name, token, policy, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return token, line + "\n"
}

// logged waits until the log has a line with all of the parts.
func (r *running) logged(t *testing.T, parts ...string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		for line := range strings.Lines(r.stderr.String()) {
			all := true
			for _, part := range parts {
				all = all && strings.Contains(line, part)
			}
			if all {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("no line with %q in the log\n%s", parts, r.stderr)
		}
		time.Sleep(5 * time.Millisecond) // polls, bounded above
	}
}

// refusedWith says hello with a token and wants to be refused.
func (r *running) refusedWith(t *testing.T, token string, code wire.Code) {
	t.Helper()
	if m, ok := greet(t, r, nil, wire.Hello{Version: wire.Version, Token: token}).(wire.Close); !ok || m.Code != code {
		t.Errorf("answer %+v, want CLOSE %s", m, code)
	}
}

func TestTokens(t *testing.T) {
	f := newFolder(t)
	alice, aliceLine := newToken(t, "alice", "staff")
	bob, bobLine := newToken(t, "bob", "")
	f.put("tokens", aliceLine+bobLine)
	f.put("sockmux.yaml", fmt.Sprintf("token-file: %q\npolicies:\n  staff:\n    rules:\n      - allow: 127.0.0.1\n    limits:\n      max-streams: 1\n", f.file("tokens")))
	r := start(t, "--config", f.file("sockmux.yaml"), "--demo", "--deny", "127.0.0.1")
	r.refusedWith(t, "", wire.Unauthorized)
	r.refusedWith(t, auth.NewToken(), wire.Unauthorized)
	r.logged(t, `"msg":"session refused"`, `"reason":"unauthorized"`, `"code":"unauthorized"`)
	echo := demoPort(t, r, "echo")

	// Each has the policy and the limits of the token.
	page := connectAs(t, r, "", alice)
	first, result := page.open(t, "127.0.0.1", echo)
	if result.Code != wire.OK {
		t.Fatalf("alice: %+v", result)
	}
	second, result := page.open(t, "127.0.0.1", echo)
	if result.Code != wire.Limit || result.Text != "the session has its 1 streams" {
		t.Errorf("alice's second stream: %+v", result)
	}
	second.Close()
	other := connectAs(t, r, "", bob)
	denied, result := other.open(t, "127.0.0.1", echo)
	if result.Code != wire.Denied {
		t.Errorf("bob: %+v", result)
	}
	denied.Close()
	say(t, first, "as alice")
	first.Close()
	r.logged(t, `"msg":"stream"`, `"identity":"alice"`, `"code":"ok"`, `"up":8,"down":8`)
	r.logged(t, `"msg":"stream"`, `"identity":"bob"`, `"code":"denied"`)
	r.logged(t, `"msg":"stream refused"`, `"identity":"alice"`, `"reason":"streams"`)
	if strings.Contains(r.stderr.String(), alice) || strings.Contains(r.stderr.String(), bob) {
		t.Error("the log has a token")
	}
}

// The files change under a server that runs: what is wrong is refused whole, what is right takes effect, and no session is dropped but the revoked.
func TestReload(t *testing.T) {
	f := newFolder(t)
	alice, aliceLine := newToken(t, "alice", "")
	bob, bobLine := newToken(t, "bob", "")
	f.put("tokens", aliceLine+bobLine)
	const head = "token-file: %q\n"
	settings := func(rest string) { f.put("sockmux.yaml", fmt.Sprintf(head, f.file("tokens"))+rest) }
	settings("")
	r := start(t, "--config", f.file("sockmux.yaml"), "--demo")
	echo := demoPort(t, r, "echo")
	alicePage, bobPage := connectAs(t, r, "", alice), connectAs(t, r, "", bob)
	aliceStream, _ := alicePage.open(t, "127.0.0.1", echo)
	bobStream, _ := bobPage.open(t, "127.0.0.1", echo)
	defer aliceStream.Close()
	defer bobStream.Close()

	settings("policies:\n  default:\n    rules:\n      - deny 127.0.0.1\n")
	r.logged(t, `"msg":"reload refused: everything stays as it was"`, f.file("sockmux.yaml")+`:5: policies.default.rules: want`)
	stream, result := alicePage.open(t, "127.0.0.1", echo)
	if result.Code != wire.OK {
		t.Errorf("after a refused reload: %+v", result)
	}
	stream.Close()

	settings("listen: 127.0.0.1:1\nprefix: /other/\nallow-origin: https://new.test\npolicies:\n  default:\n    rules:\n      - deny: 127.0.0.1\n")
	r.logged(t, `"msg":"reloaded"`)
	r.logged(t, `"level":"WARN"`, "needs a restart", `"settings":"prefix"`) // --listen is a flag here
	stream, result = alicePage.open(t, "127.0.0.1", echo)
	if result.Code != wire.Denied {
		t.Errorf("after the reload: %+v", result)
	}
	stream.Close()
	say(t, aliceStream, "what was open goes on")
	connectAs(t, r, "https://new.test", bob)

	f.put("tokens", bobLine+"nonsense\n")
	r.logged(t, `"msg":"reload refused: everything stays as it was"`, f.file("tokens")+":2: want NAME:HASH")
	say(t, aliceStream, "a mistake revokes nobody")

	f.put("tokens", bobLine)
	r.logged(t, `"msg":"session ended early"`, `"identity":"alice"`, `"code":"expired"`)
	if _, err := aliceStream.Read(make([]byte, 1)); err == nil || !strings.HasPrefix(err.Error(), "expired") {
		t.Errorf("alice's stream: %v", err)
	}
	r.refusedWith(t, alice, wire.Unauthorized)
	say(t, bobStream, "bob stays")
}

// A proxy that has checked the user says who it is.
func TestProxyHeader(t *testing.T) {
	r := start(t, "--demo", "--auth-header", "X-User", "--trusted-proxies", "127.0.0.1")
	r.refusedWith(t, "", wire.Unauthorized)
	if m, ok := greet(t, r, http.Header{"X-User": {"carol"}, "X-Forwarded-For": {"192.0.2.7"}}, wire.Hello{Version: wire.Version}).(wire.Welcome); !ok {
		t.Errorf("answer %+v", m)
	}
	r.logged(t, `"msg":"session opened"`, `"identity":"carol"`, `"method":"proxy"`, `"peer":"192.0.2.7`)
}

func TestListenWithTokens(t *testing.T) {
	f := newFolder(t)
	_, line := newToken(t, "alice", "")
	f.put("tokens", line)
	if code, stdout, stderr := command([]string{"--check-config", "--listen", ":0", "--token-file", f.file("tokens")}, nil); code != 0 {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}
