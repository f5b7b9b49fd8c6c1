package session_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	coder "github.com/coder/websocket"

	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/ops/oplog"
	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/server/session/auth"
	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link/linktest"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/websocket"
	"github.com/sockmux/sockmux/shared/wire"
)

// tokens is a file of tokens that tests change.
type tokens struct {
	*auth.Tokens
	t    *testing.T
	path string
}

func newTokens(t *testing.T) *tokens {
	t.Helper()
	k := &tokens{t: t, path: filepath.Join(t.TempDir(), "tokens")}
	k.write()
	var err error
	if k.Tokens, err = auth.OpenTokens(k.path); err != nil {
		t.Fatal(err)
	}
	return k
}

func (k *tokens) write(lines ...string) {
	k.t.Helper()
	if err := os.WriteFile(k.path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		k.t.Fatal(err)
	}
}

// set makes these the known tokens.
func (k *tokens) set(lines ...string) {
	k.t.Helper()
	k.write(lines...)
	if err := k.Reload(); err != nil {
		k.t.Fatal(err)
	}
}

// line is a new token and its line in the file.
func line(t *testing.T, name, policy string, expires time.Time) (token, line string) {
	t.Helper()
	token = auth.NewToken()
	line, err := auth.Line(name, token, policy, expires)
	if err != nil {
		t.Fatal(err)
	}
	return token, line
}

// log is a log that knows its lines.
type log struct{ servertest.Log }

func (l *log) has(parts ...string) bool {
	for line := range strings.Lines(l.String()) {
		all := true
		for _, part := range parts {
			all = all && strings.Contains(line, part)
		}
		if all {
			return true
		}
	}
	return false
}

// as returns a client that presents a token.
func (w *world) as(token string) (*client.Client, <-chan client.State) {
	states := make(chan client.State, 1000)
	c := client.New(client.Config{Dial: w.dial, Token: func() string { return token }, OnState: func(s client.State) { states <- s }})
	w.t.Cleanup(c.Close)
	return c, states
}

// ended waits until the stream ends with that code.
func ended(t *testing.T, s *mux.Stream, code wire.Code, text string) {
	t.Helper()
	_, err := s.Read(make([]byte, 1))
	if !isCode(err, code) || !strings.Contains(err.Error(), text) {
		t.Errorf("the stream ended with %v, want %s: %s", err, code, text)
	}
}

func TestIdentity(t *testing.T) {
	known := newTokens(t)
	alice, aliceLine := line(t, "alice", "staff", time.Time{})
	known.set(aliceLine)
	out := new(log)
	served := make(chan session.Client, 1)
	w := newWorld(t, session.Config{
		Authenticator: known, Events: oplog.NewSink(slog.New(slog.NewTextHandler(out, nil))),
		Handle: func(ctx context.Context, s session.Stream, who session.Client) {
			served <- who
			echo(ctx, s, who)
		},
	})
	c, _ := w.as(alice)
	roundTrip(t, open(t, c), 1000, 1)
	if who := <-served; who.Identity.Name != "alice" || who.Identity.Policy != "staff" || who.Peer.Address != "192.0.2.1:1" || who.Account.Usage().Sessions != 1 || len(who.Event.Session) != 8 {
		t.Errorf("served %+v", who)
	}
	if !out.has("session opened", "identity=alice", "policy=staff", "method=token") {
		t.Error("the log does not say who opened the session")
	}
	for token, text := range map[string]string{"": "no credentials", "smx_wrong": "the token is not known"} {
		m, _ := w.hello(wire.Hello{Version: wire.Version, Token: token})
		if got, ok := m.(wire.Close); !ok || got.Code != wire.Unauthorized || !strings.Contains(got.Text, text) {
			t.Errorf("token %q is answered with %+v", token, m)
		}
		list := w.seen.refused()
		r := list[len(list)-1]
		if r.Refusal.Reason != "unauthorized" || r.Refusal.Code != wire.Unauthorized || r.Client.Peer != "192.0.2.1:1" || !strings.Contains(r.Refusal.Text, text) {
			t.Errorf("refusal %+v", r)
		}
	}
	if n := w.seen.limits()[limit.Unauthorized]; n != 2 || !out.has("level=WARN", "session refused", "reason=unauthorized", "peer=192.0.2.1:1") {
		t.Errorf("%d refusals are counted", n)
	}
}

func TestUnknownPolicy(t *testing.T) {
	known := newTokens(t)
	token, entry := line(t, "alice", "staff", time.Time{})
	known.set(entry)
	w := newWorld(t, session.Config{Authenticator: known, Limits: func(policy string) (limit.Limits, bool) { return limit.Limits{}, policy == "" }})
	m, _ := w.hello(wire.Hello{Version: wire.Version, Token: token})
	if want := (wire.Close{Code: wire.Unauthorized, Text: `the policy "staff" of alice is not configured`}); m != want {
		t.Errorf("answer %+v, want %+v", m, want)
	}
}

// A token that is taken from the file ends its sessions, also those that wait for their
// clients; others stay.
func TestRevocation(t *testing.T) {
	known := newTokens(t)
	alice, aliceLine := line(t, "alice", "", time.Time{})
	bob, bobLine := line(t, "bob", "", time.Time{})
	known.set(aliceLine, bobLine)
	out := new(log)
	w := newWorld(t, session.Config{Authenticator: known, Grace: time.Minute, MaxDetached: 10, Events: oplog.NewSink(slog.New(slog.NewTextHandler(out, nil)))})
	a, states := w.as(alice)
	b, _ := w.as(bob)
	mine, other := open(t, a), open(t, b)
	_, detached := w.hello(wire.Hello{Version: wire.Version, Capabilities: wire.CanResume, Token: alice})
	detached.Cut()
	known.set(bobLine)
	w.registry.Review()
	ended(t, mine, wire.Expired, "alice")
	if state := await(t, states, client.Closed); state.Reason == nil || state.Reason.Code != wire.Expired {
		t.Errorf("state %+v", state)
	}
	eventually(t, "only bob's session is left", func() bool { return w.figures() == session.Stats{Sessions: 1, Streams: 1} })
	roundTrip(t, other, 1000, 1)
	if n := w.seen.limits()[limit.Expired]; n != 2 || !out.has("session ended early", "reason=expired", "code=expired", "identity=alice") {
		t.Errorf("%d are counted", n)
	}
}

func TestTokenExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		known := newTokens(t)
		token, entry := line(t, "alice", "", time.Now().Add(1500*time.Millisecond))
		known.set(entry)
		w := newWorld(t, session.Config{Authenticator: known})
		c, _ := w.as(token)
		ended(t, open(t, c), wire.Expired, "alice expired at")
	})
}

// A reload that takes a policy away ends the sessions that live by it; one that changes
// its limits changes theirs.
func TestPolicyChanges(t *testing.T) {
	known := newTokens(t)
	token, entry := line(t, "alice", "staff", time.Time{})
	known.set(entry)
	var mu sync.Mutex
	most, there := 1, true
	w := newWorld(t, session.Config{Authenticator: known, Limits: func(string) (limit.Limits, bool) {
		mu.Lock()
		defer mu.Unlock()
		return limit.Limits{Streams: most}, there
	}})
	c, _ := w.as(token)
	first := open(t, c)
	mu.Lock()
	most = 2
	mu.Unlock()
	w.registry.Review()
	eventually(t, "a second stream is taken", func() bool {
		s, err := c.Open(target)
		if err != nil {
			return false
		}
		defer s.Close()
		result, err := s.Result(t.Context())
		return err == nil && result.Code == wire.OK
	})
	mu.Lock()
	there = false
	mu.Unlock()
	w.registry.Review()
	ended(t, first, wire.Expired, `the policy "staff" of alice is not configured`)
}

// resume takes up the session with other credentials and returns the answer.
func (w *world) resume(known *wire.Session, token string) wire.Message {
	m, _ := w.hello(wire.Hello{Version: wire.Version, Capabilities: wire.CanResume, Token: token, Resume: &wire.Resume{ID: known.ID, Secret: known.Secret}})
	return m
}

// The secret suffices to resume, but neither for an identity that is no longer good nor
// for another.
func TestResumeAs(t *testing.T) {
	known := newTokens(t)
	alice, aliceLine := line(t, "alice", "", time.Time{})
	bob, bobLine := line(t, "bob", "", time.Time{})
	known.set(aliceLine, bobLine)
	w := newWorld(t, session.Config{Authenticator: known, Grace: time.Minute, MaxDetached: 10})
	m, _ := w.hello(wire.Hello{Version: wire.Version, Capabilities: wire.CanResume, Token: alice})
	secret := m.(wire.Welcome).Session
	for _, token := range []string{alice, "", "smx_wrong"} {
		if m, ok := w.resume(secret, token).(wire.Welcome); !ok || m.Resumed == nil {
			t.Errorf("with token %q: %+v", token, m)
		}
	}
	if m, want := w.resume(secret, bob), (wire.Close{Code: wire.Unauthorized, Text: "the session belongs to another identity than bob"}); m != want {
		t.Errorf("as bob: %+v", m)
	}
	known.set(bobLine)
	if m, ok := w.resume(secret, alice).(wire.Close); !ok || m.Code != wire.Expired {
		t.Errorf("revoked: %+v", m)
	}
}

// Newer credentials of the same identity keep a session beyond the end of the older ones.
func TestRenewal(t *testing.T) {
	known := newTokens(t)
	old, oldLine := line(t, "alice", "", time.Now().Add(time.Hour))
	renewed, renewedLine := line(t, "alice", "", time.Now().Add(2*time.Hour))
	known.set(oldLine, renewedLine)
	w := newWorld(t, session.Config{Authenticator: known, Grace: time.Minute, MaxDetached: 10})
	m, _ := w.hello(wire.Hello{Version: wire.Version, Capabilities: wire.CanResume, Token: old})
	secret := m.(wire.Welcome).Session
	if m, ok := w.resume(secret, renewed).(wire.Welcome); !ok || m.Resumed == nil {
		t.Errorf("%+v", m)
	}
	known.set(renewedLine)
	w.registry.Review()
	if m, ok := w.resume(secret, "").(wire.Welcome); !ok || m.Resumed == nil {
		t.Errorf("after the revalidation: %+v", m)
	}
}

func TestSessionsPerClient(t *testing.T) {
	w := newWorld(t, session.Config{Limits: fixed(limit.Limits{Sessions: 2})})
	w.hello(wire.Hello{Version: wire.Version})
	_, second := w.hello(wire.Hello{Version: wire.Version})
	m, _ := w.hello(wire.Hello{Version: wire.Version})
	if want := (wire.Close{Code: wire.Limit, Text: "the client has its 2 sessions"}); m != want {
		t.Errorf("answer %+v", m)
	}
	if n := w.seen.limits()[limit.SessionsPerClient]; n != 1 {
		t.Errorf("%d are counted", n)
	}
	// Another name is another client, and a session that has ended makes room.
	w.peer = "[2001:db8:0:1::7]:1"
	w.hello(wire.Hello{Version: wire.Version})
	w.peer = "192.0.2.1:7"
	second.Cut()
	eventually(t, "there is room again", func() bool {
		m, _ := w.hello(wire.Hello{Version: wire.Version})
		_, welcome := m.(wire.Welcome)
		return welcome
	})
}

func TestOpensPerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, session.Config{Limits: fixed(limit.Limits{Opens: 1})})
		c, _ := w.client()
		for range 10 {
			open(t, c).Close()
		}
		s, err := c.Open(target)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if result, err := s.Result(t.Context()); err != nil || result.Code != wire.Limit || result.Text != "more than 1 sockets a second are opened" {
			t.Errorf("result %+v, %v", result, err)
		}
	})
}

func TestIdleSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, session.Config{Limits: fixed(limit.Limits{SessionIdle: 100 * time.Millisecond})})
		c, states := w.client()
		s := open(t, c)
		await(t, states, client.Open)
		time.Sleep(150 * time.Millisecond) // of the bubble's clock, and longer than an idle session lives: this one has a stream
		one := []byte{1}
		if _, err := s.Write(one); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Read(one); err != nil {
			t.Fatal(err)
		}
		s.Close()
		if state := await(t, states, client.Closed); state.Reason == nil || state.Reason.Code != wire.Idle || state.Reason.Text != "the session had no socket for 100ms" {
			t.Errorf("state %+v", state)
		}
		if n := w.seen.limits()[limit.SessionIdle]; n != 1 {
			t.Errorf("%d are counted", n)
		}
	})
}

func TestSessionLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, session.Config{Limits: fixed(limit.Limits{SessionLifetime: 100 * time.Millisecond})})
		c, _ := w.client()
		ended(t, open(t, c), wire.Limit, "the session is 100ms old, and may be no older")
	})
}

func TestHandshakeTimeout(t *testing.T) {
	out := new(log)
	w := newWorld(t, session.Config{Handshake: 20 * time.Millisecond, Events: oplog.NewSink(slog.New(slog.NewTextHandler(out, nil)))})
	c, err := w.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// A CLOSE would end the session of a client that resumes with the hello that is late.
	if message, err := c.Receive(t.Context()); err == nil {
		t.Errorf("message %x, want the carrier's end", message)
	}
	eventually(t, "it is logged", func() bool { return out.has("session refused", "reason=handshake_timeout") })
}

func TestSetMost(t *testing.T) {
	w := newWorld(t, session.Config{MaxSessions: 1})
	w.hello(wire.Hello{Version: wire.Version})
	w.refused(wire.Hello{Version: wire.Version}, wire.Limit)
	w.registry.SetCapacity(2, 0)
	w.hello(wire.Hello{Version: wire.Version})
	w.refused(wire.Hello{Version: wire.Version}, wire.Limit)
	if n := w.seen.limits()[limit.Sessions]; n != 2 {
		t.Errorf("%d are counted", n)
	}
}

// failing is an Authenticator whose keys cannot be had.
type failing struct{ peers chan netip.AddrPort }

func (f failing) Authenticate(_ context.Context, c auth.Credentials) (*auth.Identity, error) {
	f.peers <- c.Peer
	return nil, errors.Join(wire.NewError(wire.Internal, "the credentials could not be checked"), io.ErrUnexpectedEOF)
}

// The client learns that it was not its fault, and nothing of the server's network; the
// log has the cause. Whom a proxy names as the client is not whom the authenticator is
// told.
func TestUncheckedCredentials(t *testing.T) {
	out, f := new(log), failing{make(chan netip.AddrPort, 1)}
	r := session.New(session.Config{Handle: echo, Authenticator: f, Events: oplog.NewSink(slog.New(slog.NewTextHandler(out, nil)))})
	defer r.Close()
	a, b := linktest.Pipe()
	var serve sync.WaitGroup
	serve.Go(func() {
		_ = r.Serve(context.Background(), newcomer{b}, session.Peer{Address: "192.0.2.9", Direct: "[::ffff:10.0.0.1]:7"})
	}) // ends with the refusal
	if err := a.Send(t.Context(), wire.Hello{Version: wire.Version}.Append(nil)); err != nil {
		t.Fatal(err)
	}
	message, err := a.Receive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if m, err := wire.Decode(message); err != nil || m != (wire.Close{Code: wire.Internal, Text: "the credentials could not be checked"}) {
		t.Errorf("%+v, %v", m, err)
	}
	serve.Wait()
	if peer := <-f.peers; peer != netip.MustParseAddrPort("10.0.0.1:7") {
		t.Errorf("the authenticator is told %s", peer)
	}
	if !out.has("session refused", "reason=credentials_unchecked", "peer=192.0.2.9", "unexpected EOF") {
		t.Error("the log has no cause")
	}
}

// A message beyond what the protocol allows ends the session, with its own reason.
func TestMessageTooLong(t *testing.T) {
	out, seen := new(log), new(recorder)
	r := session.New(session.Config{Handle: echo, Events: events.Sinks{seen, oplog.NewSink(slog.New(slog.NewTextHandler(out, nil)))}})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		c, err := websocket.Accept(w, request, nil)
		if err != nil {
			t.Error(err)
			return
		}
		_ = r.Serve(request.Context(), c, session.Peer{Address: request.RemoteAddr}) // why it ended is in the log
	}))
	defer server.Close()
	defer r.Close()
	c, err := websocket.Dial(t.Context(), server.URL, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(0, "") }() // the server has closed it
	if err := c.Send(t.Context(), wire.Hello{Version: wire.Version, Capabilities: wire.CanResume}.Append(nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = c.Send(t.Context(), make([]byte, wire.MaxMessage+1)) // the server may close before it has taken all
	for err == nil {
		_, err = c.Receive(t.Context())
	}
	if code := coder.CloseStatus(err); code != coder.StatusMessageTooBig {
		t.Errorf("close code %d, %v", code, err)
	}
	http.DefaultClient.CloseIdleConnections()
	for deadline := time.Now().Add(patience); !out.has("session ended early", "reason=message_size", `a message is longer than 1048576 bytes`); {
		if time.Now().After(deadline) {
			t.Fatal("it is not logged")
		}
		time.Sleep(time.Millisecond) // polls, bounded above
	}
	if n := seen.limits()[limit.MessageSize]; n != 1 {
		t.Errorf("%d are counted", n)
	}
}
