// Package forward carries local connections to targets through a sockmux server, as ssh -L and
// ssh -D do.
//
//	forward.Serve(ctx, listener, forward.To(dialer, "db.example.org:5432", log))
package forward

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/sockmux/sockmux"
	"github.com/sockmux/sockmux/internal/socks"
	"github.com/sockmux/sockmux/shared/wire"
)

const (
	// maxConnections is how many local connections are served at once. Further ones wait in
	// the backlog of the system.
	maxConnections = 1024
	// handshakeTimeout is how long a SOCKS client may take for its request.
	handshakeTimeout = 10 * time.Second
)

// A Handler serves one local connection, which it must not close.
type Handler func(ctx context.Context, local *net.TCPConn)

// Serve accepts connections until ctx ends, and waits for all handlers. It closes the listener
// and the connections.
func Serve(ctx context.Context, listener *net.TCPListener, handle Handler) error {
	var handlers sync.WaitGroup
	defer handlers.Wait()
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() }) // Accept tells
	defer stop()
	free := make(chan struct{}, maxConnections)
	for {
		free <- struct{}{}
		local, err := listener.AcceptTCP()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			_ = listener.Close() // it has failed already
			return err
		}
		handlers.Go(func() {
			defer func() { <-free }()
			defer local.Close() // the handler has ended it
			stop := context.AfterFunc(ctx, func() { _ = local.Close() })
			defer stop()
			handle(ctx, local)
		})
	}
}

// To returns a Handler for one target.
func To(dialer *sockmux.Dialer, address string, log *slog.Logger) Handler {
	return func(ctx context.Context, local *net.TCPConn) {
		target, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			log.Warn("not connected", "error", err)
			_ = tcp{local}.Reset() // it was not served; fails only where it is closed
			return
		}
		join(local, target, log)
	}
}

// SOCKS returns a Handler for clients of SOCKS, versions 5, 4a and 4. The server resolves the
// names.
func SOCKS(dialer *sockmux.Dialer, log *slog.Logger) Handler {
	return func(ctx context.Context, local *net.TCPConn) {
		_ = local.SetDeadline(time.Now().Add(handshakeTimeout)) // fails only where the connection has ended
		request, err := socks.Accept(local)
		if err != nil {
			log.Warn("no SOCKS request", "client", local.RemoteAddr(), "error", err)
			return
		}
		_ = local.SetDeadline(time.Time{}) // as above
		target, err := dialer.DialHost(ctx, "tcp", request.Host, request.Port)
		if err != nil {
			log.Warn("not connected", "error", err)
			_ = request.Reply(local, replyTo(err), nil) // the client is refused either way
			return
		}
		if err := request.Reply(local, socks.Granted, target.LocalAddr()); err != nil {
			_ = target.Close() // the client is gone
			return
		}
		join(local, target, log)
	}
}

// join is Join that logs how it ended. The target is one of a sockmux.Dialer.
func join(local *net.TCPConn, target net.Conn, log *slog.Logger) {
	if err := Join(tcp{local}, target.(*sockmux.Conn)); err != nil {
		log.Info("reset", "target", target.RemoteAddr(), "error", err)
	}
}

// replyTo returns the reply of RFC 1928 to a dial that failed.
func replyTo(err error) byte {
	if coded := (*wire.Error)(nil); errors.As(err, &coded) {
		return coded.Code.SOCKS5()
	}
	return socks.Failed
}

// A Local is the near end of a joined connection.
type Local interface {
	io.ReadWriteCloser
	// CloseWrite ends the direction towards the local program.
	CloseWrite() error
	// Reset closes, so that the program sees no clean end.
	Reset() error
}

// tcp is a Local.
type tcp struct{ *net.TCPConn }

// Reset implements Local.
func (c tcp) Reset() error {
	_ = c.SetLinger(0) // fails only where it is closed
	return c.Close()
}

// Join copies both ways until both directions have ended, and closes both. The end of one
// direction ends it at the other side too. A reset of one side resets the other. The error is
// that of a side that was reset.
func Join(local Local, target *sockmux.Conn) error {
	var up sync.WaitGroup
	var upErr error
	up.Go(func() {
		if _, upErr = io.Copy(target, local); upErr != nil {
			_ = target.Reset() // fails only where it is closed
			return
		}
		_ = target.CloseWrite() // as above
	})
	_, err := io.Copy(local, target)
	if err != nil {
		_ = local.Reset()  // as above
		_ = target.Reset() // as above
	} else {
		_ = local.CloseWrite() // as above
	}
	up.Wait()
	_ = target.Close() // as above
	_ = local.Close()  // as above
	if err == nil {
		err = upErr
	}
	return err
}
