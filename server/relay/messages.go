package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockmux/sockmux/server/frames"
	"github.com/sockmux/sockmux/server/relay/egress"
	"github.com/sockmux/sockmux/shared/message"
	"github.com/sockmux/sockmux/shared/wire"
)

// userAgent is what targets are told instead of Go's own.
const userAgent = "sockmux"

// goingAway is the close code of a client that has left (RFC 6455, section 7.4.1).
const goingAway = 1001

// messages is a WebSocket in the form of a connection whose bytes are records. So the limits, the
// counters and the end of a stream are those of every other. One goroutine reads while another
// writes.
type messages struct {
	egress.Conn // below
	service     *service
	request     wire.Request

	life    context.Context // of the handshake
	endLife context.CancelFunc
	timer   *time.Timer // ends a client that sends no handshake

	// Of the goroutine that writes.
	decoder message.Decoder
	text    bool // the message that has begun is one

	opened chan struct{} // closed when ws or failed is set
	open   sync.Once
	ws     *frames.Conn
	failed error // why there is no WebSocket

	closing atomic.Bool // the client has sent its close frame: it wants no more messages

	// Of the goroutine that reads.
	rest []byte // that Read has not given yet
	over error  // behind rest

	mu       sync.Mutex
	deadline bool  // SetReadDeadline was called
	fault    error // what the client has sent that is wrong
}

var _ egress.Conn = (*messages)(nil)

func newMessages(r *service, request wire.Request, conn egress.Conn) *messages {
	m := &messages{
		Conn: conn, service: r, request: request,
		opened: make(chan struct{}),
	}
	m.life, m.endLife = context.WithCancel(context.Background())
	m.timer = time.AfterFunc(r.DialTimeout, func() {
		m.fail(&failure{code: wire.TimedOut, text: "no handshake came", err: errors.New("the client sends no handshake")})
	})
	return m
}

// fail notes that there is no WebSocket.
func (m *messages) fail(err error) {
	m.open.Do(func() {
		m.failed = err
		close(m.opened)
	})
}

// Write takes what the client sends. Behind its close frame, and where the target has closed, it
// drops everything, as a WebSocket does.
func (m *messages) Write(b []byte) (int, error) {
	err := m.decoder.Decode(b, m)
	if err == nil {
		return len(b), nil
	}
	m.fail(err) // if there is no WebSocket yet
	if m.failed == nil && !errors.As(err, new(*wire.Error)) {
		return len(b), nil // the reader finds why the target takes nothing
	}
	m.mu.Lock()
	m.fault = err // no records, perhaps
	m.mu.Unlock()
	_ = m.Close()
	return len(b), err
}

// Open implements message.Receiver: it is the handshake.
func (m *messages) Open(o message.Open) error {
	m.timer.Stop()
	ctx, cancel := m.service.within(m.life, m.request)
	defer cancel()
	ws, err := frames.Open(ctx, m.Conn, frames.Handshake{URL: m.url(o), Header: m.header(o), Subprotocols: o.Subprotocols})
	if err != nil {
		return m.handshakeFailure(ctx, err)
	}
	m.open.Do(func() {
		m.ws, m.rest = ws, message.AppendOpened(nil, ws.Subprotocol())
		close(m.opened)
	})
	if m.ws == nil { // it came too late
		_ = ws.CloseNow() // fails if it has ended
		return m.failed
	}
	return nil
}

// header returns the header fields of the handshake: a page's are those of a browser.
func (m *messages) header(o message.Open) http.Header {
	header := http.Header{}
	for _, f := range o.Fields {
		header.Add(f.Name, f.Value)
	}
	if header.Get("User-Agent") == "" {
		header.Set("User-Agent", userAgent)
	}
	if origin := m.service.Client.Origin; origin != "" && !o.OwnFields {
		header.Set("Origin", origin)
	}
	return header
}

// url returns the URL of the handshake. The Host header has no port that the scheme implies.
func (m *messages) url(o message.Open) string {
	u := url.URL{Scheme: "ws", Host: m.request.Target()}
	implied := uint16(80)
	if o.TLS {
		u.Scheme, implied = "wss", 443
	}
	if m.request.Port == implied {
		u.Host = strings.TrimSuffix(u.Host, fmt.Sprintf(":%d", implied))
	}
	return u.String() + o.Resource
}

// handshakeFailure describes why there is no WebSocket. The client gets no more than a status: what
// a target answers to a request of HTTP is not for pages of other origins.
func (m *messages) handshakeFailure(ctx context.Context, err error) error {
	f := &failure{code: wire.Refused, remote: addrPort(m.Conn.RemoteAddr()), err: err}
	var answer *frames.StatusError
	var secure *frames.TLSError
	switch {
	case ctx.Err() != nil:
		f.code, f.text = codeOf(ctx.Err()), "the WebSocket handshake took too long"
	case errors.As(err, &answer):
		f.text = message.TextStatus + strconv.Itoa(answer.Status)
	case errors.As(err, &secure):
		f.text = message.TextTLS + reasonOfTLS(secure.Err)
	default:
		f.text = message.TextAnswer + ": the target does not answer as a WebSocket server"
	}
	return f
}

// Piece implements message.Receiver.
func (m *messages) Piece(piece message.Record, first bool) error {
	if first {
		m.text = piece.Kind == message.Text
	}
	return m.ws.Write(piece.Payload, frames.Piece{Text: m.text, First: first, Last: piece.Last})
}

// CloseFrame implements message.Receiver: it is the client's part of the close handshake. The
// goroutine that reads waits for the target's.
func (m *messages) CloseFrame(code uint16, reason string) error {
	m.closing.Store(true)
	return m.ws.Close(code, reason)
}

// CloseWrite ends the WebSocket of a client that goes away without a close frame.
func (m *messages) CloseWrite() error {
	m.fail(&failure{code: wire.InvalidRequest, text: "the stream ended before the handshake", err: io.ErrUnexpectedEOF})
	switch {
	case m.ws == nil:
		return m.failed
	case m.closing.Load():
		return nil
	}
	return m.CloseFrame(goingAway, "")
}

// Read gives what the target sends as records.
func (m *messages) Read(b []byte) (int, error) {
	<-m.opened
	if m.failed != nil {
		return 0, m.endOf(m.failed)
	}
	if len(m.rest) == 0 && m.over == nil {
		if n := m.next(b); n > 0 {
			return n, nil
		}
	}
	if len(m.rest) > 0 {
		n := copy(b, m.rest)
		m.rest = m.rest[n:]
		return n, nil
	}
	return 0, m.over
}

// next reads a record into b, or else into rest, or the end.
func (m *messages) next(b []byte) int {
	room := b
	if len(room) <= message.HeadSize {
		room = make([]byte, 1<<10)
	}
	n, piece, err := m.ws.Read(room[message.HeadSize:])
	for err == nil && m.closing.Load() {
		_, _, err = m.ws.Read(room)
	}
	if err != nil {
		m.end(err)
		return 0
	}
	kind := message.More
	switch {
	case piece.First && piece.Text:
		kind = message.Text
	case piece.First:
		kind = message.Binary
	}
	n += message.HeadSize
	record := message.Record{Kind: kind, Last: piece.Last, Payload: room[message.HeadSize:n]}
	copy(room, record.AppendHead(make([]byte, 0, message.HeadSize)))
	if &room[0] == &b[0] {
		return n
	}
	m.rest = room[:n]
	return 0
}

// end notes how the WebSocket has ended: with a close frame of the target, or without one.
func (m *messages) end(err error) {
	var frame *frames.CloseError
	if errors.As(err, &frame) {
		m.over, m.rest = io.EOF, message.CloseRecord(frame.Code, frame.Reason).Append(nil)
		return
	}
	m.over = m.endOf(err)
}

// endOf returns the error of Read for the end of a WebSocket without a close frame.
func (m *messages) endOf(err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.deadline:
		return os.ErrDeadlineExceeded
	case m.fault != nil:
		return m.fault
	}
	var known *wire.Error
	var f *failure
	var broken *frames.ProtocolError
	switch remote := addrPort(m.Conn.RemoteAddr()); {
	case errors.As(err, &known), errors.As(err, &f):
		return err
	case errors.As(err, &broken):
		return &failure{code: wire.Protocol, text: "the target broke the WebSocket protocol: " + broken.Rule, remote: remote, err: err}
	case errors.Is(err, frames.ErrUnanswered):
		return &failure{code: wire.Reset, text: "the target does not answer the close frame", remote: remote, err: err}
	default:
		return &failure{code: wire.Reset, text: "the connection ended without a close frame", remote: remote, err: err}
	}
}

// SetReadDeadline ends the WebSocket: it is set only to end a stream that lingers.
func (m *messages) SetReadDeadline(time.Time) error {
	m.mu.Lock()
	m.deadline = true
	m.mu.Unlock()
	return m.Close()
}

// reasonOfTLS says to clients what is wrong with a certificate. Of anything else it says
// nothing: the words would be this system's.
func reasonOfTLS(err error) string {
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		return ": " + certificate.Err.Error()
	}
	return ""
}

// Close ends the WebSocket at once.
func (m *messages) Close() error {
	m.timer.Stop()
	m.fail(net.ErrClosed)
	m.endLife()
	return m.Conn.Close()
}
