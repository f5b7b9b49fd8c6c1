package mux_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/mux/muxtest"
	"github.com/sockmux/sockmux/shared/wire"
)

// plainVector is what a plain client sends, and what it gets.
type plainVector struct {
	Name   string
	Code   wire.Code // of the result
	Text   string
	Client []string // in hex, a frame each
	Server []string
}

// TestPlainVectors has the bytes of testdata/plain.json on the wire, which
// docs/PROTOCOL.md repeats.
func TestPlainVectors(t *testing.T) {
	file, err := os.ReadFile("testdata/plain.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []plainVector
	if err := json.Unmarshal(file, &vectors); err != nil {
		t.Fatal(err)
	}
	protocol, err := os.ReadFile("../../docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		for _, line := range append(v.Client, v.Server...) {
			if !strings.Contains(string(protocol), line) {
				t.Errorf("%s: docs/PROTOCOL.md lacks %s", v.Name, line)
			}
		}
		t.Run(v.Name, func(t *testing.T) { synctest.Test(t, v.run) })
	}
}

func (v plainVector) run(t *testing.T) {
	conn := &recorded{deaf: newDeaf()}
	result := wire.Result{Code: v.Code, Text: v.Text}
	if v.Code == wire.OK {
		result.Bound = netip.MustParseAddrPort("192.0.2.1:40000")
		result.Remote = netip.MustParseAddrPort("192.0.2.80:80")
	}
	s, err := mux.PlainServer(muxtest.New(conn), mux.Config{}, func(_ context.Context, s *mux.Stream) {
		if s.Request() != (wire.Request{Kind: wire.TCP, Host: wire.ParseHost("example.org"), Port: 80}) {
			t.Errorf("the request is %+v", s.Request())
		}
		_ = s.Reply(result) // what came is compared
		if v.Code == wire.OK {
			_, _ = io.Copy(s, s) // likewise
		}
		_ = s.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range v.Client {
		if _, err := conn.feed.Write(unhex(t, line)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
	}
	if want := unhex(t, strings.Join(v.Server, "")); !bytes.Equal(conn.bytes, want) {
		t.Errorf("the server sent\n%x, want\n%x", conn.bytes, want)
	}
	s.Close()
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// recorded is a deaf stream that keeps what is written to it.
type recorded struct {
	*deaf
	bytes []byte
}

func (r *recorded) Write(b []byte) (int, error) {
	r.bytes = append(r.bytes, b...)
	return len(b), nil
}
