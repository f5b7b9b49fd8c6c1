package link_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/link/linktest"
	"github.com/sockmux/sockmux/shared/wire"
)

const barePayload = 100_000

// fillBare writes "head" and a bare message.
func fillBare(t *testing.T, l *link.Link, bare []byte) {
	t.Helper()
	err := l.Fill(1, len(bare), func(b []byte) int { return copy(b, bare) }, func(n int) []byte {
		if n != len(bare) && n != 0 {
			t.Errorf("head for %d bytes, not %d", n, len(bare))
		}
		return []byte("head")
	})
	if err != nil {
		t.Fatal(err)
	}
}

// message receives one message.
func message(t *testing.T, c *linktest.Carrier) wire.Message {
	t.Helper()
	b, err := c.Receive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m, err := wire.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// dataMessage receives one message that must be DATA.
func dataMessage(t *testing.T, c *linktest.Carrier) wire.Data {
	t.Helper()
	m := message(t, c)
	data, ok := m.(wire.Data)
	if !ok {
		t.Fatalf("received %+v", m)
	}
	return data
}

// TestBareMessage: it follows its announcement at once and is nothing but its bytes;
// where only the announcement has arrived, the bytes come as others do.
func TestBareMessage(t *testing.T) {
	l := link.New(link.Config{})
	defer l.Close()
	bare := payload(barePayload, 1)
	if n := l.Bare(); n != 0 {
		t.Errorf("%d bytes in a bare message to an end that takes none", n)
	}
	fillBare(t, l, bare[:10]) // the other end takes none: not bare, as whatever is short
	l.SendBare()
	fillBare(t, l, bare)
	ctx, cancel := context.WithCancel(t.Context())
	mine, theirs := linktest.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx, mine, 0) }()
	if m := dataMessage(t, theirs); m.Offset != 0 || !m.Fore || string(m.Payload) != "head"+string(bare[:10])+"head" {
		t.Errorf("announcement: %+v", m)
	}
	if b, err := theirs.Receive(t.Context()); err != nil || !bytes.Equal(b, bare) {
		t.Errorf("bare message: %d bytes, %v", len(b), err)
	}
	cancel()
	<-ended

	const before = len("head") + 10 + len("head")
	mine, theirs = linktest.Pipe()
	go func() { ended <- l.Run(t.Context(), mine, uint64(before)) }()
	if m := dataMessage(t, theirs); m.Fore || m.Offset != uint64(before) || !bytes.Equal(m.Payload, bare) {
		t.Errorf("sent again: from %d, %d bytes, fore %t", m.Offset, len(m.Payload), m.Fore)
	}
	theirs.Cut()
	<-ended

	mine, theirs = linktest.Pipe()
	go func() { ended <- l.Run(t.Context(), mine, uint64(before)+7) }()
	if m := dataMessage(t, theirs); m.Fore || m.Offset != uint64(before)+7 || !bytes.Equal(m.Payload, bare[7:]) {
		t.Errorf("a part sent again: from %d, %d bytes, fore %t", m.Offset, len(m.Payload), m.Fore)
	}
	theirs.Cut()
	<-ended
}

// TestShortIsNotBare: nor is anything before the path is known.
func TestShortIsNotBare(t *testing.T) {
	l := link.New(link.Config{})
	defer l.Close()
	l.SendBare()
	if n := l.Bare(); n != 0 {
		t.Errorf("%d bytes in a bare message on a path that nobody knows yet", n)
	}
	fillBare(t, l, payload(1000, 1))
	mine, theirs := linktest.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- l.Run(t.Context(), mine, 0) }()
	if m := dataMessage(t, theirs); m.Fore || len(m.Payload) != 1004 {
		t.Errorf("%d bytes, fore %t", len(m.Payload), m.Fore)
	}
	theirs.Cut()
	<-ended
}

// TestBodyIsReadInAnyWay: whole as a body, and in parts where it is longer than the
// reader has use for.
func TestBodyIsReadInAnyWay(t *testing.T) {
	p := newPair(t, link.Config{})
	p.join(t.Context())
	bare := payload(barePayload, 2)
	for range 2 {
		fillBare(t, p.b, bare)
	}
	head := make([]byte, 4)
	readHead := func() {
		t.Helper()
		if _, err := io.ReadFull(p.a, head); err != nil || string(head) != "head" {
			t.Fatalf("head %q, %v", head, err)
		}
	}
	readHead()
	body, err := p.a.ReadBody(barePayload)
	if err != nil || body == nil {
		t.Fatalf("body %v, %v", body, err)
	}
	part := make([]byte, 10)
	body.CopyAt(part, 90)
	if body.Len() != barePayload || !bytes.Equal(part, bare[90:100]) {
		t.Errorf("%d bytes, from 90 %x", body.Len(), part)
	}
	body.Release()
	readHead()
	if body, err := p.a.ReadBody(barePayload - 1); body != nil || err != nil {
		t.Errorf("a body that is too long: %v, %v", body, err)
	}
	got := receive(t, p.a, 10)
	if body, err := p.a.ReadBody(barePayload); body != nil || err != nil {
		t.Errorf("a body that was read in part: %v, %v", body, err)
	}
	if got = append(got, receive(t, p.a, barePayload-10)...); !bytes.Equal(got, bare) {
		t.Error("the bytes differ")
	}
}

// TestNothingInPlaceOfABareMessage: an end that could not send what it announced sends no
// CLOSE either, which would be taken for it.
func TestNothingInPlaceOfABareMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := link.New(link.Config{})
		l.SendBare()
		fillBare(t, l, payload(barePayload, 3))
		mine, theirs := linktest.Pipe()
		ended := make(chan error, 1)
		go func() { ended <- l.Run(context.Background(), full{mine}, 0) }() // ends with the link
		if m := dataMessage(t, theirs); !m.Fore {
			t.Errorf("announcement: %+v", m)
		}
		if err := theirs.Send(t.Context(), []byte{99}); err != nil { // no such type: that it broke the protocol is what a CLOSE would say
			t.Fatal(err)
		}
		if err := <-ended; !errors.Is(err, wire.NewError(wire.Protocol, "")) {
			t.Errorf("run: %v", err)
		}
		<-mine.Done()
		if b, err := theirs.Receive(t.Context()); err == nil {
			t.Errorf("received %d bytes in place of the bare message", len(b))
		}
	})
}

// full is a carrier that takes no long message until its context ends, and short ones still then.
type full struct{ *linktest.Carrier }

func (f full) Send(ctx context.Context, message []byte) error {
	if len(message) < barePayload {
		return f.Carrier.Send(ctx, message)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Minute): // of the bubble's clock
		return errors.New("nobody ended the message")
	}
}
