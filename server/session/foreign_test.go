package session_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/hashicorp/yamux"

	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/mux/muxtest"
	"github.com/sockmux/sockmux/shared/wire"
)

// foreign is a session.Foreign over a connection in memory.
type foreign struct {
	*mux.PlainSession
	conn *muxtest.Conn
}

func (f *foreign) Run(context.Context) error {
	<-f.conn.Done()
	return f.conn.Err()
}

func (f *foreign) Shutdown(_ context.Context, code wire.Code, text string) error {
	f.conn.Fail(wire.NewError(code, text))
	return nil
}

func (f *foreign) Fail(err *wire.Error) { f.conn.Fail(err) }
func (f *foreign) Err() error           { return f.conn.Err() }

// serveForeign serves one foreign client and returns its yamux, and what ServeForeign
// returns.
func (w *world) serveForeign(token string) (client *yamux.Session, opened chan bool, ended chan error) {
	w.t.Helper()
	a, b := net.Pipe()
	opened, ended = make(chan bool, 1), make(chan error, 1)
	w.serves.Go(func() {
		was, err := w.registry.ServeForeign(context.Background(), session.Peer{Address: "192.0.2.1:1"}, token, "foreign", func(terms session.ForeignTerms) (session.Foreign, error) {
			conn := muxtest.New(b)
			s, err := mux.PlainServer(conn, terms.Mux, func(ctx context.Context, stream *mux.Stream) { terms.Handle(ctx, stream) })
			return &foreign{PlainSession: s, conn: conn}, err
		})
		_ = b.Close() // it may be closed
		opened <- was
		ended <- err
	})
	config := yamux.DefaultConfig()
	config.LogOutput, config.EnableKeepAlive = io.Discard, false
	client, err := yamux.Client(a, config)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = client.Close() }) // it may be closed
	return client, opened, ended
}

// TestForeign opens a session like any other: it is recorded, listed, counted and
// limited, and ends with its connection.
func TestForeign(t *testing.T) {
	w := newWorld(t, session.Config{Grace: time.Minute, MaxDetached: 10, Limits: fixed(limit.Limits{Sessions: 1, Streams: 1})})
	client, _, ended := w.serveForeign("")
	stream, err := client.Open()
	if err != nil {
		t.Fatal(err)
	}
	message, err := (wire.Request{Kind: wire.TCP, Host: wire.ParseHost("example.org"), Port: 7}).Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Write(message); err != nil {
		t.Fatal(err)
	}
	result := make([]byte, len(wire.Result{}.Append(nil)))
	if _, err := io.ReadFull(stream, result); err != nil {
		t.Fatal(err)
	}
	if list := w.registry.List(); len(list) != 1 || list[0].Agent != "foreign" || list[0].Streams != 1 {
		t.Errorf("the list is %+v", list)
	}
	_, refused, why := w.serveForeign("")
	if <-refused {
		t.Error("a second session was opened")
	}
	if err := <-why; !errors.Is(err, wire.NewError(wire.Limit, "")) {
		t.Errorf("a second session: %v", err)
	}
	_ = client.Close()
	<-ended
	if life := w.seen.life(); life != "ended session_lost" || len(w.seen.opened()) != 1 {
		t.Errorf("recorded: %d opened, %s", len(w.seen.opened()), life)
	}
	if s := w.registry.Stats(); s.Sessions != 0 || s.Streams != 0 {
		t.Errorf("left: %+v", s)
	}
}

// TestForeignDrains tells the client, and ends with a code when its streams have ended.
func TestForeignDrains(t *testing.T) {
	w := newWorld(t, session.Config{})
	client, _, ended := w.serveForeign("")
	if _, err := client.Ping(); err != nil { // the session is there
		t.Fatal(err)
	}
	if err := w.registry.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, wire.NewError(wire.Draining, "")) {
		t.Errorf("%v, want draining", err)
	}
	if _, opened, why := w.serveForeign(""); <-opened || !errors.Is(<-why, wire.NewError(wire.Draining, "")) {
		t.Error("a session was opened while the server drains")
	}
}

// TestForeignExpires ends a foreign session when its time is over, with the reason in the
// events.
func TestForeignExpires(t *testing.T) {
	w := newWorld(t, session.Config{Limits: fixed(limit.Limits{SessionIdle: 50 * time.Millisecond})})
	_, _, ended := w.serveForeign("")
	if err := <-ended; !errors.Is(err, wire.NewError(wire.Idle, "")) {
		t.Errorf("%v, want idle", err)
	}
	if got := w.seen.limits(); got[limit.SessionIdle] != 1 {
		t.Errorf("refusals: %v", got)
	}
}
