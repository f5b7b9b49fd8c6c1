package oplog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/sockmux/sockmux/server/ops/oplog"
)

// gate is a writer that waits before each write until the test lets it.
type gate struct {
	let chan error // what the write returns
	at  chan int   // how many bytes a write that begins has

	mu  sync.Mutex
	out bytes.Buffer
}

func newGate() *gate { return &gate{let: make(chan error), at: make(chan int)} }

func (g *gate) Write(b []byte) (int, error) {
	g.at <- len(b)
	if err := <-g.let; err != nil {
		return 0, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.out.Write(b)
}

func (g *gate) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.out.String()
}

func report(to io.Writer, lost oplog.Lost) {
	fmt.Fprintf(to, "lost %d and %d\n", lost.Queue, lost.Write)
}

// Lines come out in their order, all of them at the latest behind Close.
func TestWriter(t *testing.T) {
	var out bytes.Buffer
	w := oplog.NewWriter(&out, report)
	want := ""
	for i := range 1000 {
		line := fmt.Sprintln("line", i)
		want += line
		if n, err := io.WriteString(w, line); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	w.Close(t.Context())
	if out.String() != want || w.Lost() != (oplog.Lost{}) {
		t.Errorf("%d bytes, want %d; lost %+v", out.Len(), len(want), w.Lost())
	}
}

// A writer that blocks holds up no caller. What is too much is dropped, counted and told of.
func TestWriterBlocked(t *testing.T) {
	g := newGate()
	w := oplog.NewWriter(g, report)
	line := strings.Repeat("x", 1023) + "\n"
	_, _ = io.WriteString(w, "first\n")
	<-g.at
	const sent = 3000
	for range sent {
		if n, err := io.WriteString(w, line); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	lost := w.Lost()
	if lost.Queue == 0 || lost.Queue >= sent || lost.Write != 0 {
		t.Fatalf("lost %+v of %d", lost, sent)
	}
	g.let <- nil
	for range 2 { // the line about the lost ones, and what has waited
		<-g.at
		g.let <- nil
	}
	w.Close(t.Context())
	want := fmt.Sprintf("first\nlost %d and 0\n", lost.Queue) + strings.Repeat(line, sent-int(lost.Queue))
	if g.String() != want {
		t.Errorf("%d bytes, want %d", len(g.String()), len(want))
	}
}

// Lines that cannot be written are counted, and the next ones are written.
func TestWriterFails(t *testing.T) {
	g := newGate()
	w := oplog.NewWriter(g, report)
	_, _ = io.WriteString(w, "first\n")
	<-g.at
	_, _ = io.WriteString(w, "second\n")
	noSpace := errors.New("no space left")
	g.let <- noSpace
	for range 2 { // the line about the lost one, and the second
		<-g.at
		g.let <- noSpace
	}
	_, _ = io.WriteString(w, "third\n")
	for range 2 {
		<-g.at
		g.let <- nil
	}
	w.Close(t.Context())
	if want := "lost 0 and 2\nthird\n"; g.String() != want || w.Lost() != (oplog.Lost{Write: 2}) {
		t.Errorf("%q, want %q; lost %+v", g.String(), want, w.Lost())
	}
}

// Close does not wait for a write that is blocked, and what comes behind it is dropped.
func TestCloseOfABlockedWriter(t *testing.T) {
	g := newGate()
	w := oplog.NewWriter(g, nil)
	_, _ = io.WriteString(w, "first\n")
	<-g.at
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.Close(ctx)
	_, _ = io.WriteString(w, "late\n")
	g.let <- nil
	w.Close(t.Context())
	if g.String() != "first\n" || w.Lost().Queue != 1 {
		t.Errorf("%q, lost %+v", g.String(), w.Lost())
	}
}
