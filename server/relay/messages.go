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
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/sockmux/sockmux/server/relay/egress"
	"github.com/sockmux/sockmux/shared/message"
	"github.com/sockmux/sockmux/shared/wire"
)

// userAgent is what targets are told instead of Go's own.
const userAgent = "sockmux"

// messages is a WebSocket in the form of a connection whose bytes are records. So the limits, the
// counters and the end of a stream are those of every other. One goroutine reads while another
// writes.
type messages struct {
	egress.Conn // below
	service     *service
	request     wire.Request

	life    context.Context // of every call of the WebSocket
	endLife context.CancelFunc
	timer   *time.Timer // ends a client that sends no handshake

	// Of the goroutine that writes.
	decoder message.Decoder
	writer  io.WriteCloser // of the message that has begun

	opened chan struct{} // closed when ws or failure is set
	open   sync.Once
	ws     *websocket.Conn
	failed error // why there is no WebSocket

	closing chan struct{} // closed when the client's close frame is on its way
	closed  chan struct{} // closed behind the close handshake that the client began
	asked   websocket.CloseError
	ended   websocket.CloseError // what the target has answered; the zero value if it has not
	lost    error                // why it has not

	// Of the goroutine that reads.
	rest   []byte // that Read has not given yet
	reader io.Reader
	over   error // behind rest

	mu       sync.Mutex
	deadline bool  // SetReadDeadline was called
	fault    error // what the client has sent that is wrong
}

var _ egress.Conn = (*messages)(nil)

func newMessages(r *service, request wire.Request, conn egress.Conn) *messages {
	m := &messages{
		Conn: conn, service: r, request: request,
		opened: make(chan struct{}), closing: make(chan struct{}), closed: make(chan struct{}),
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
	used := false
	transport := &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			if used {
				return nil, net.ErrClosed
			}
			used = true
			return m.Conn, nil
		},
		DisableKeepAlives:      true,
		DisableCompression:     true, // it would add a header
		MaxResponseHeaderBytes: 64 << 10,
	}
	header := http.Header{"User-Agent": {userAgent}}
	if origin := m.service.Client.Origin; origin != "" {
		header.Set("Origin", origin)
	}
	ws, response, err := websocket.Dial(ctx, m.url(o), &websocket.DialOptions{
		HTTPClient: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		HTTPHeader:   header,
		Subprotocols: o.Subprotocols,
	})
	if err != nil {
		return m.handshakeFailure(ctx, response, err)
	}
	ws.SetReadLimit(-1) // what a message holds here is a buffer of the stream's
	m.open.Do(func() {
		m.ws, m.rest = ws, message.AppendOpened(nil, ws.Subprotocol())
		close(m.opened)
	})
	if m.ws == nil { // it came too late
		_ = ws.CloseNow()
		return m.failed
	}
	return nil
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
func (m *messages) handshakeFailure(ctx context.Context, response *http.Response, err error) error {
	f := &failure{code: wire.Refused, remote: addrPort(m.Conn.RemoteAddr()), err: err}
	switch {
	case ctx.Err() != nil:
		f.code, f.text = codeOf(ctx.Err()), "the WebSocket handshake took too long"
	case response != nil && response.StatusCode != http.StatusSwitchingProtocols:
		f.text = fmt.Sprintf("the target answered the WebSocket handshake with status %d", response.StatusCode)
	default:
		f.text = "the WebSocket handshake failed: " + reasonOfHandshake(err)
	}
	return f
}

// Piece implements message.Receiver.
func (m *messages) Piece(piece message.Record, first bool) error {
	kind := websocket.MessageText
	if piece.Kind == message.Binary {
		kind = websocket.MessageBinary
	}
	if first && piece.Last {
		return m.ws.Write(m.life, kind, piece.Payload)
	}
	if first {
		var err error
		if m.writer, err = m.ws.Writer(m.life, kind); err != nil {
			return err
		}
	}
	if len(piece.Payload) > 0 {
		if _, err := m.writer.Write(piece.Payload); err != nil {
			return err
		}
	}
	if !piece.Last {
		return nil
	}
	return m.writer.Close()
}

// CloseFrame implements message.Receiver: it is the client's part of the close handshake.
func (m *messages) CloseFrame(code uint16, reason string) error {
	m.asked = websocket.CloseError{Code: websocket.StatusCode(code), Reason: reason}
	close(m.closing)
	err := m.ws.Close(m.asked.Code, m.asked.Reason) // it waits for the answer, some seconds at most
	switch {
	case err == nil:
		m.ended = m.asked
	case !errors.As(err, &m.ended):
		m.lost = err
	}
	close(m.closed)
	return nil
}

// CloseWrite ends the WebSocket of a client that goes away without a close frame.
func (m *messages) CloseWrite() error {
	m.fail(&failure{code: wire.InvalidRequest, text: "the stream ended before the handshake", err: io.ErrUnexpectedEOF})
	if m.ws == nil {
		return m.failed
	}
	select {
	case <-m.closing:
	default:
		return m.CloseFrame(uint16(websocket.StatusGoingAway), "")
	}
	return nil
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
	kind := message.More
	if m.reader == nil {
		typ, reader, err := m.ws.Reader(m.life)
		if err != nil {
			m.end(err)
			return 0
		}
		m.reader, kind = reader, message.Text
		if typ == websocket.MessageBinary {
			kind = message.Binary
		}
	}
	room := b
	if len(room) <= message.HeadSize {
		room = make([]byte, 1<<10)
	}
	n, last := message.HeadSize, false
	for n < len(room) && !last {
		k, err := m.reader.Read(room[n:])
		n += k
		switch {
		case err == io.EOF:
			last = true
		case err != nil:
			m.end(err)
			return 0
		}
	}
	if last {
		m.reader = nil
	}
	head := message.Record{Kind: kind, Last: last, Payload: room[message.HeadSize:n]}.AppendHead(make([]byte, 0, message.HeadSize))
	copy(room, head)
	if &room[0] == &b[0] {
		return n
	}
	m.rest = room[:n]
	return 0
}

// end notes how the WebSocket has ended: with a close frame of the target, or without one.
func (m *messages) end(err error) {
	var frame websocket.CloseError
	if !errors.As(err, &frame) && errors.Is(err, net.ErrClosed) {
		select {
		case <-m.closing: // the close handshake may have read the frame
			<-m.closed
			frame, err = m.ended, m.lost
		default:
		}
	}
	if frame.Code == 0 {
		m.over = m.endOf(err)
		return
	}
	m.over, m.rest = io.EOF, message.CloseRecord(uint16(frame.Code), frame.Reason).Append(nil)
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
	if errors.As(err, &known) || errors.As(err, &f) {
		return err
	}
	return &failure{code: wire.Reset, text: "the connection ended without a close frame", remote: addrPort(m.Conn.RemoteAddr()), err: err}
}

// SetReadDeadline ends the WebSocket: it is set only to end a stream that lingers.
func (m *messages) SetReadDeadline(time.Time) error {
	m.mu.Lock()
	m.deadline = true
	m.mu.Unlock()
	return m.Close()
}

// reasonOfHandshake says to pages why a handshake has failed, without words of this system's.
func reasonOfHandshake(err error) string {
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		return certificate.Err.Error()
	}
	return "the target does not answer as a WebSocket server"
}

// Close ends the WebSocket at once, and frees what it holds. It returns when each call of the
// WebSocket that was under way has found the connection closed.
func (m *messages) Close() error {
	m.timer.Stop()
	m.fail(net.ErrClosed)
	m.endLife()
	err := m.Conn.Close()
	if m.ws != nil {
		_ = m.ws.CloseNow() // fails where the WebSocket has ended
	}
	return err
}
