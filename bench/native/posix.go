package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sockmux/sockmux/internal/test/ports"
)

// originalVariable names the built websocket_to_posix_proxy; bench/ensure-posix-proxy prints it.
const originalVariable = "BENCH_POSIX_PROXY"

// original is the rival: websocket_to_posix_proxy.
const original = "original"

// posixKinds are what is measured, in this order: the other rivals do not know the protocol.
var posixKinds = []string{"sockmux"}

// threads is how many threads of a program make calls at once.
const threads = 8

// posix measures the calls of programs with Emscripten's full POSIX sockets, beside the proxy that
// Emscripten has for them.
func posix(w *world, r *report, s size) error {
	for _, m := range []struct {
		name, unit string
		measure    func(*program, *world) (float64, error)
	}{
		{"echo, 1 thread", "calls/s", func(p *program, w *world) (float64, error) { return callRate(p, w, 1, s.calls) }},
		{fmt.Sprintf("echo, %d threads", threads), "calls/s", func(p *program, w *world) (float64, error) { return callRate(p, w, threads, s.calls) }},
		{"socket, connect, shutdown, 1 thread", "sockets/s", func(p *program, w *world) (float64, error) { return openRate(p, w, 1, s.calls) }},
		{fmt.Sprintf("socket, connect, shutdown, %d threads", threads), "sockets/s", func(p *program, w *world) (float64, error) { return openRate(p, w, threads, s.calls) }},
		{"recv, 1 socket", "MB/s", func(p *program, w *world) (float64, error) {
			return byteRate(p, w, "source", func(s io.ReadWriter, b []byte) (int, error) { return s.Read(b) }, s.calls)
		}},
		{"send, 1 socket", "MB/s", func(p *program, w *world) (float64, error) {
			return byteRate(p, w, "sink", func(s io.ReadWriter, b []byte) (int, error) { return s.Write(b) }, s.calls)
		}},
	} {
		rate := valuesOf{}
		for round := range s.rounds {
			for i := range posixKinds {
				kind := posixKinds[(i+round)%len(posixKinds)]
				value, err := w.withProgram(kind, func(p *program) (float64, error) { return m.measure(p, w) })
				if err != nil {
					return fmt.Errorf("%s, %s: %w", kind, m.name, err)
				}
				rate.add(kind, value)
				if w.profile == "" || kind == original {
					continue
				}
				if err := profile(w.profile, "posix-"+strings.NewReplacer(", ", "-", " ", "-").Replace(m.name), w.servers[kind], func() error {
					_, err := w.withProgram(kind, func(p *program) (float64, error) { return m.measure(p, w) })
					return err
				}); err != nil {
					return err
				}
			}
		}
		r.add(measurement{"full POSIX sockets", m.name, m.unit, ">= 1.0 x " + original, rate})
	}
	return nil
}

// withProgram measures with a program of its own. The original keeps a thread for each recv()
// until it ends, so it is started anew each time.
func (w *world) withProgram(kind string, measure func(*program) (float64, error)) (float64, error) {
	var p *program
	var err error
	if kind == original {
		var end func()
		if p, end, err = runWithOriginal(); err != nil {
			return 0, err
		}
		defer end()
	} else if p, err = runProgram(context.Background(), fmt.Sprintf("ws://127.0.0.1:%d/v1/posix", w.servers[kind].port)); err != nil {
		return 0, err
	}
	defer p.close()
	return measure(p)
}

// runWithOriginal starts the original and connects a program to it. end ends the original.
func runWithOriginal() (p *program, end func(), err error) {
	port, err := ports.Free()
	if err != nil {
		return nil, nil, err
	}
	command := exec.Command(os.Getenv(originalVariable), strconv.Itoa(port))
	if err := command.Start(); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", originalVariable, err)
	}
	end = func() {
		_ = command.Process.Kill() // nothing of it is needed any more
		_ = command.Wait()
	}
	for deadline := time.Now().Add(startTimeout); ; { // a probe without a handshake would end it
		if p, err = runProgram(context.Background(), fmt.Sprintf("ws://127.0.0.1:%d/", port)); err == nil {
			return p, end, nil
		}
		if time.Now().After(deadline) {
			end()
			return nil, nil, err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// rateOf runs do in each of some threads of a program for a time, and returns how much they have
// done a second: the sum of what do returns.
func rateOf(threads int, length time.Duration, do func(thread int) (int, error)) (float64, error) {
	var sum atomic.Int64
	began := time.Now()
	var all errgroup.Group
	for thread := range threads {
		all.Go(func() error {
			for time.Since(began) < length {
				n, err := do(thread)
				if err != nil {
					return err
				}
				sum.Add(int64(n))
			}
			return nil
		})
	}
	err := all.Wait()
	return float64(sum.Load()) / time.Since(began).Seconds(), err
}

// callRate returns how many calls a second threads make that send a byte and receive it again, each
// with a socket of its own.
func callRate(p *program, w *world, threads int, length time.Duration) (float64, error) {
	sockets := make([]*programSocket, threads)
	for i := range sockets {
		var err error
		if sockets[i], err = p.connect(w.targets.ports["echo"]); err != nil {
			return 0, err
		}
	}
	return rateOf(threads, length, func(thread int) (int, error) { return 2, echo(sockets[thread]) })
}

// openRate returns how many sockets a second are connected and closed.
func openRate(p *program, w *world, threads int, length time.Duration) (float64, error) {
	return rateOf(threads, length, func(int) (int, error) {
		s, err := p.connect(w.targets.ports["echo"])
		if err != nil {
			return 0, err
		}
		return 1, s.Close()
	})
}

// manyBytes are announced to a service: more than a measurement moves.
const manyBytes = 1 << 40

// byteRate returns how many MB one socket moves a second.
func byteRate(p *program, w *world, service string, move func(io.ReadWriter, []byte) (int, error), length time.Duration) (float64, error) {
	s, err := p.connect(w.targets.ports[service])
	if err != nil {
		return 0, err
	}
	if err := announce(s, manyBytes); err != nil {
		return 0, err
	}
	buffer := make([]byte, messageSize)
	rate, err := rateOf(1, length, func(int) (int, error) { return move(s, buffer) })
	if err != nil {
		return 0, err
	}
	return rate / 1e6, s.reset()
}
