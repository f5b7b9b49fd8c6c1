package mux_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/link/linktest"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// TestManyStreams: digests of many streams at once, and nothing remains of them.
func TestManyStreams(t *testing.T) {
	e := connect(t, mux.Config{}, accepted(t, echo))
	var wait sync.WaitGroup
	for i := range 100 {
		wait.Go(func() {
			stream := open(t, e.client)
			want := make([]byte, 100_000)
			rand.NewChaCha8([32]byte{byte(i)}).Read(want)
			go func() {
				if _, err := stream.Write(want); err != nil {
					t.Errorf("write: %v", err)
				}
				_ = stream.CloseWrite()
			}()
			got, err := io.ReadAll(stream)
			if err != nil || sha256.Sum256(got) != sha256.Sum256(want) {
				t.Errorf("stream %d: %d bytes, %v", i, len(got), err)
			}
		})
	}
	wait.Wait()
	e.gone(t)
}

func TestYamuxViolationIsToldToTheOtherEnd(t *testing.T) {
	server, client := link.New(link.Config{}), link.New(link.Config{})
	a, b := linktest.Pipe()
	var runs sync.WaitGroup
	runs.Go(func() { _ = client.Run(context.Background(), a, 0) }) // end with their links
	runs.Go(func() { _ = server.Run(context.Background(), b, 0) })
	s, err := mux.Server(server, mux.Config{}, accepted(t, echo))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Write(bytes.Repeat([]byte{9}, 12)); err != nil {
		t.Fatal(err)
	}
	<-client.Done()
	if err := client.Err(); !isCode(err, wire.Protocol) || !strings.Contains(err.Error(), "ersion") {
		t.Errorf("the offender is told: %v", err)
	}
	s.Close()
	client.Close()
	runs.Wait()
}

func TestDrainAndNotice(t *testing.T) {
	told := make(chan string, 2)
	e := connect(t, mux.Config{
		OnDrain:  func(in time.Duration, text string) { told <- in.String() + " " + text },
		OnNotice: func(_ wire.Level, code wire.Code, text string) { told <- code.String() + " " + text },
	}, accepted(t, echo))
	e.server.Drain(3*time.Second, "going")
	e.server.Notify(wire.Warning, wire.Limit, "near")
	for _, want := range []string{"3s going", "limit near"} {
		if got := <-told; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	}
}

// The result of the control stream comes first, however early there is something to tell.
func TestNewsDoNotOvertakeTheResult(t *testing.T) {
	for range 1000 {
		told := make(chan string, 1)
		e := connect(t, mux.Config{OnDrain: func(_ time.Duration, text string) { told <- text }}, accepted(t, echo))
		e.server.Drain(time.Second, "going")
		select {
		case <-told:
		case <-e.client.Done():
			t.Fatalf("the session has ended: %v", e.client.Err())
		}
		e.client.Close()
	}
}

func BenchmarkStream(b *testing.B) {
	e := connect(b, mux.Config{}, accepted(b, func(s *mux.Stream) {
		_, _ = io.Copy(io.Discard, s)
		_ = s.Close()
	}))
	stream := open(b, e.client)
	piece := make([]byte, 64<<10)
	b.SetBytes(int64(len(piece)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := stream.Write(piece); err != nil {
			b.Fatal(err)
		}
	}
	_ = stream.Close()
}
