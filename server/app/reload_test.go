package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/internal/test/command"
	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/server/session/auth"
	"github.com/sockmux/sockmux/shared/wire"
)

// refusedWith says hello with a token and wants to be refused.
func refusedWith(t *testing.T, r *command.Running, token string, code wire.Code) {
	t.Helper()
	if m, ok := command.Greet(t, r, nil, wire.Hello{Version: wire.Version, Token: token}).(wire.Close); !ok || m.Code != code {
		t.Errorf("answer %+v, want CLOSE %s", m, code)
	}
}

func TestTokens(t *testing.T) {
	f := servertest.NewFolder(t)
	alice, aliceLine := servertest.NewToken(t, "alice", "staff")
	bob, bobLine := servertest.NewToken(t, "bob", "")
	f.Put("tokens", aliceLine+bobLine)
	f.Put("sockmux.yaml", fmt.Sprintf("token-file: %q\npolicies:\n  staff:\n    rules:\n      - allow: 127.0.0.1\n    limits:\n      max-streams: 1\n", f.File("tokens")))
	r := command.Start(t, "--config", f.File("sockmux.yaml"), "--demo", "--deny", "127.0.0.1")
	refusedWith(t, r, "", wire.Unauthorized)
	refusedWith(t, r, auth.NewToken(), wire.Unauthorized)
	r.Logged(t, `"msg":"session refused"`, `"reason":"unauthorized"`, `"code":"unauthorized"`)
	echo := command.DemoPort(t, r, "echo")

	// Each has the policy and the limits of the token.
	page := command.ConnectAs(t, r, "", alice)
	first, result := page.Dial(t, "127.0.0.1", echo)
	if result.Code != wire.OK {
		t.Fatalf("alice: %+v", result)
	}
	second, result := page.Dial(t, "127.0.0.1", echo)
	if result.Code != wire.Limit || result.Text != "the session has its 1 streams" {
		t.Errorf("alice's second stream: %+v", result)
	}
	second.Close()
	other := command.ConnectAs(t, r, "", bob)
	denied, result := other.Dial(t, "127.0.0.1", echo)
	if result.Code != wire.Denied {
		t.Errorf("bob: %+v", result)
	}
	denied.Close()
	command.Say(t, first, "as alice")
	first.Close()
	r.Logged(t, `"msg":"stream"`, `"identity":"alice"`, `"code":"ok"`, `"up":8,"down":8`)
	r.Logged(t, `"msg":"stream"`, `"identity":"bob"`, `"code":"denied"`)
	r.Logged(t, `"msg":"stream refused"`, `"identity":"alice"`, `"reason":"streams"`)
	if strings.Contains(r.Stderr.String(), alice) || strings.Contains(r.Stderr.String(), bob) {
		t.Error("the log has a token")
	}
}

// The files change under a server that runs: what is wrong is refused whole, what is
// right takes effect, and no session is dropped but the revoked.
func TestReload(t *testing.T) {
	f := servertest.NewFolder(t)
	alice, aliceLine := servertest.NewToken(t, "alice", "")
	bob, bobLine := servertest.NewToken(t, "bob", "")
	f.Put("tokens", aliceLine+bobLine)
	const head = "token-file: %q\n"
	settings := func(rest string) { f.Put("sockmux.yaml", fmt.Sprintf(head, f.File("tokens"))+rest) }
	settings("")
	r := command.Start(t, "--config", f.File("sockmux.yaml"), "--demo")
	echo := command.DemoPort(t, r, "echo")
	alicePage, bobPage := command.ConnectAs(t, r, "", alice), command.ConnectAs(t, r, "", bob)
	aliceStream, _ := alicePage.Dial(t, "127.0.0.1", echo)
	bobStream, _ := bobPage.Dial(t, "127.0.0.1", echo)
	defer aliceStream.Close()
	defer bobStream.Close()

	settings("policies:\n  default:\n    rules:\n      - deny 127.0.0.1\n")
	r.Logged(t, `"msg":"reload refused: everything stays as it was"`, f.File("sockmux.yaml")+`:5: policies.default.rules: want`)
	stream, result := alicePage.Dial(t, "127.0.0.1", echo)
	if result.Code != wire.OK {
		t.Errorf("after a refused reload: %+v", result)
	}
	stream.Close()

	settings("listen: 127.0.0.1:1\nprefix: /other/\nallow-origin: https://new.test\npolicies:\n  default:\n    rules:\n      - deny: 127.0.0.1\n")
	r.Logged(t, `"msg":"reloaded"`)
	r.Logged(t, `"level":"WARN"`, "needs a restart", `"settings":"prefix"`) // --listen is a flag here
	stream, result = alicePage.Dial(t, "127.0.0.1", echo)
	if result.Code != wire.Denied {
		t.Errorf("after the reload: %+v", result)
	}
	stream.Close()
	command.Say(t, aliceStream, "what was open goes on")
	command.ConnectAs(t, r, "https://new.test", bob)

	f.Put("tokens", bobLine+"nonsense\n")
	r.Logged(t, `"msg":"reload refused: everything stays as it was"`, f.File("tokens")+":2: want NAME:HASH")
	command.Say(t, aliceStream, "a mistake revokes nobody")

	f.Put("tokens", bobLine)
	r.Logged(t, `"msg":"session ended early"`, `"identity":"alice"`, `"code":"expired"`)
	if _, err := aliceStream.Read(make([]byte, 1)); err == nil || !strings.HasPrefix(err.Error(), "expired") {
		t.Errorf("alice's stream: %v", err)
	}
	refusedWith(t, r, alice, wire.Unauthorized)
	command.Say(t, bobStream, "bob stays")
}

// A proxy that has checked the user says who it is.
func TestProxyHeader(t *testing.T) {
	r := command.Start(t, "--demo", "--auth-header", "X-User", "--trusted-proxies", "127.0.0.1")
	refusedWith(t, r, "", wire.Unauthorized)
	if m, ok := command.Greet(t, r, http.Header{"X-User": {"carol"}, "X-Forwarded-For": {"192.0.2.7"}}, wire.Hello{Version: wire.Version}).(wire.Welcome); !ok {
		t.Errorf("answer %+v", m)
	}
	r.Logged(t, `"msg":"session opened"`, `"identity":"carol"`, `"method":"proxy"`, `"peer":"192.0.2.7`)
}
