package relay

import (
	"io"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/shared/wire"
)

// shout is what a new kind takes at the server: this method, and a line in kinds.
func (p *pipe) shout() { p.answerOnce([]byte(strings.ToUpper(p.request.Host.Name())), nil) }

// A kind that gets a line is served as the others are.
func TestNewKind(t *testing.T) {
	const toy = wire.WebSocket
	real := kinds[toy]
	kinds[toy] = (*pipe).shout
	t.Cleanup(func() { kinds[toy] = real })
	r := local(t, Config{})
	client, _ := session(t, r)
	stream, err := client.Open(wire.Request{Kind: toy, Host: wire.ParseHost("quiet.example"), Port: 1})
	if err != nil {
		t.Fatal(err)
	}
	result, err := stream.Result(t.Context())
	if err != nil || result.Code != wire.OK {
		t.Fatalf("%+v, %v", result, err)
	}
	if text, err := io.ReadAll(stream); err != nil || string(text) != "QUIET.EXAMPLE" {
		t.Errorf("%q, %v", text, err)
	}
	_ = stream.Close() // it has ended
	servertest.Eventually(t, patience, "the end is reported", func() bool { return ended(r)[wire.OK] == 1 })
}

// A kind that the table does not have is refused.
func TestUnknownKind(t *testing.T) {
	p := newPage(t, wire.Request{Kind: wire.Control, Host: wire.ParseHost("127.0.0.1"), Port: 80})
	local(t, Config{}).Serve(t.Context(), p)
	if result := <-p.result; result.Code != wire.UnsupportedKind || result.Text != "streams of kind control are not relayed" {
		t.Errorf("%+v", result)
	}
}
