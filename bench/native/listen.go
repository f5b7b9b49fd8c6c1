package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/sockmux/sockmux"
	"golang.org/x/sync/errgroup"
)

// remoteForward is a rival: OpenSSH's server, whose port a Go client of SSH listens on (ssh -R).
const remoteForward = "ssh -R"

// listenKinds are what is measured, in this order: chisel and the plain relay do not accept.
var listenKinds = []string{"direct", "sockmux"}

// listen measures connections from hosts to a program that listens at the server.
func listen(w *world, r *report, s size) error {
	for _, m := range []struct {
		name, unit string
		serve      func(net.Conn, int64) error // the program's half
		measure    func(ctx context.Context, address string, s size) (float64, error)
	}{
		{"accept, echo, close, 1 at a time", "connections/s", serveEcho, acceptRate(1)},
		{fmt.Sprintf("accept, echo, close, %d at a time", openers), "connections/s", serveEcho, acceptRate(openers)},
		{"to the program, 1 connection", "MB/s", serveSink, bytesOf(func(conn net.Conn, bytes int64) error {
			if err := send(conn, bytes); err != nil {
				return err
			}
			return confirmed(conn)
		})},
		{"from the program, 1 connection", "MB/s", serveSource, bytesOf(func(conn net.Conn, bytes int64) error { return receive(conn, bytes) })},
	} {
		rate := valuesOf{}
		for round := range s.rounds {
			for i := range listenKinds {
				kind := listenKinds[(i+round)%len(listenKinds)]
				value, err := w.withListener(kind, func(conn net.Conn) error { return m.serve(conn, s.bytes) }, func(ctx context.Context, address string) (float64, error) {
					return m.measure(ctx, address, s)
				})
				if err != nil {
					return fmt.Errorf("%s, %s: %w", kind, m.name, err)
				}
				rate.add(kind, value)
			}
		}
		r.add(measurement{"native listen", m.name, m.unit, ">= 1.0 x " + remoteForward, rate})
	}
	return nil
}

// withListener measures while a program listens by a rival's means. Its first error is returned.
func (w *world) withListener(kind string, serve func(net.Conn) error, measure func(ctx context.Context, address string) (float64, error)) (float64, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	listener, end, err := w.listener(ctx, kind)
	if err != nil {
		return 0, err
	}
	var program errgroup.Group
	program.Go(func() error {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return nil // it was closed
			}
			program.Go(func() error {
				err := serve(conn)
				return errors.Join(err, conn.Close())
			})
		}
	})
	value, err := measure(ctx, listener.Addr().String())
	if err != nil {
		end() // connections that are under way cannot end by themselves any more
		return 0, errors.Join(err, program.Wait())
	}
	_ = listener.Close() // its port is not needed any more
	err = program.Wait()
	end()
	return value, err
}

// listener listens on a port of this machine. end ends the rival's client.
func (w *world) listener(ctx context.Context, kind string) (l net.Listener, end func(), err error) {
	const anyPort = "127.0.0.1:0"
	switch kind {
	case "direct":
		l, err = net.Listen("tcp", anyPort)
		return l, func() { _ = l.Close() }, err
	case "sockmux":
		dialer := &sockmux.Dialer{URL: fmt.Sprintf("ws://127.0.0.1:%d", w.servers[kind].port)}
		l, err = dialer.Listen(ctx, "tcp", anyPort)
		return l, func() { _ = dialer.Close() }, err
	case remoteForward:
		client, err := w.sshd.dial()
		if err != nil {
			return nil, nil, err
		}
		l, err = client.Listen("tcp", anyPort)
		return l, func() { _ = client.Close() }, err
	}
	return nil, nil, fmt.Errorf("no such rival: %q", kind)
}

// serveEcho sends the byte that comes back.
func serveEcho(conn net.Conn, _ int64) error {
	_, err := io.CopyN(conn, conn, 1)
	return err
}

// serveSink reads all bytes and confirms them.
func serveSink(conn net.Conn, bytes int64) error {
	if err := receive(conn, bytes); err != nil {
		return err
	}
	_, err := conn.Write([]byte{0})
	return err
}

// serveSource writes the bytes.
func serveSource(conn net.Conn, bytes int64) error { return send(conn, bytes) }

// acceptRate measures how many connections a second a program serves, of so many at a time.
func acceptRate(atOnce int) func(context.Context, string, size) (float64, error) {
	return func(ctx context.Context, address string, s size) (float64, error) {
		once := func() error {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
			if err != nil {
				return err
			}
			defer conn.Close()
			return echo(conn)
		}
		if err := once(); err != nil { // all is there
			return 0, err
		}
		began := time.Now()
		var all errgroup.Group
		all.SetLimit(atOnce)
		for range s.opens {
			all.Go(once)
		}
		err := all.Wait()
		return float64(s.opens) / time.Since(began).Seconds(), err
	}
}

// bytesOf measures how many MB a second one connection moves.
func bytesOf(move func(net.Conn, int64) error) func(context.Context, string, size) (float64, error) {
	return func(ctx context.Context, address string, s size) (float64, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return 0, err
		}
		defer conn.Close()
		began := time.Now()
		err = move(conn, s.bytes)
		return float64(s.bytes) / 1e6 / time.Since(began).Seconds(), err
	}
}
