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

// originalVariable names the built websocket_to_posix_proxy; bench/ensure-posix-proxy prints it,
// and puts one that sends without delay beside it.
const originalVariable = "BENCH_POSIX_PROXY"

// The rivals: websocket_to_posix_proxy as it is, and with TCP_NODELAY put into its source.
const (
	original        = "original"
	originalNoDelay = "original+nodelay"
)

// posixKinds are what is measured, in this order: the other rivals do not know the protocol.
var posixKinds = []string{"sockmux"}

// threads is how many threads of a program make calls at once.
const threads = 8

// amount is how much was done in a time.
type amount struct {
	done    float64 // in the unit of the measurement
	seconds float64
}

// posix measures the calls of programs with Emscripten's full POSIX sockets, beside the proxy that
// Emscripten has for them.
func posix(w *world, r *report, s size) error {
	for _, m := range []struct {
		name, unit, one string
		measure         func(*program, *world) (amount, error)
	}{
		{"echo, 1 thread", "calls/s", "call", func(p *program, w *world) (amount, error) { return callRate(p, w, 1, s.calls) }},
		{fmt.Sprintf("echo, %d threads", threads), "calls/s", "call", func(p *program, w *world) (amount, error) { return callRate(p, w, threads, s.calls) }},
		{"socket, connect, shutdown, 1 thread", "sockets/s", "socket", func(p *program, w *world) (amount, error) { return openRate(p, w, 1, s.calls) }},
		{fmt.Sprintf("socket, connect, shutdown, %d threads", threads), "sockets/s", "socket", func(p *program, w *world) (amount, error) { return openRate(p, w, threads, s.calls) }},
		{"recv, 1 socket", "MB/s", "MB", func(p *program, w *world) (amount, error) {
			return byteRate(p, w, "source", func(s io.ReadWriter, b []byte) (int, error) { return s.Read(b) }, s.calls)
		}},
		{"send, 1 socket", "MB/s", "MB", func(p *program, w *world) (amount, error) {
			return byteRate(p, w, "sink", func(s io.ReadWriter, b []byte) (int, error) { return s.Write(b) }, s.calls)
		}},
	} {
		rate, cpu := valuesOf{}, valuesOf{}
		for round := range s.rounds {
			for i := range posixKinds {
				kind := posixKinds[(i+round)%len(posixKinds)]
				var all amount
				measured := func(p *program) (err error) {
					all, err = m.measure(p, w)
					return err
				}
				used, err := w.withProgram(kind, measured)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", kind, m.name, err)
				}
				rate.add(kind, all.done/all.seconds)
				cpu.add(kind, used.Seconds()*1e6/all.done)
				if w.profile == "" || kind != "sockmux" {
					continue
				}
				name := "posix-" + strings.NewReplacer(", ", "-", " ", "-").Replace(m.name)
				if err := profile(w.profile, name, w.servers[kind], func() error {
					_, err := w.withProgram(kind, measured)
					return err
				}); err != nil {
					return err
				}
			}
		}
		r.add(measurement{"full POSIX sockets", m.name, m.unit, ">= 1.0 x " + originalNoDelay, rate})
		r.add(measurement{"full POSIX sockets, CPU", m.name, "µs/" + m.one, "", cpu})
	}
	return nil
}

// withProgram measures with a program of its own, and returns the processor's time that the server
// has used for it. The original keeps a thread for each recv() until it ends, so it is started anew
// each time.
func (w *world) withProgram(kind string, measure func(*program) error) (cpu time.Duration, err error) {
	if kind != "sockmux" {
		p, end, err := runWithOriginal(os.Getenv(originalVariable) + strings.TrimPrefix(kind, original))
		if err != nil {
			return 0, err
		}
		err = measure(p)
		p.close()
		return end(), err
	}
	server := w.servers[kind]
	before, err := server.stats(false)
	if err != nil {
		return 0, err
	}
	p, err := runProgram(context.Background(), fmt.Sprintf("ws://127.0.0.1:%d/v1/posix", server.port))
	if err != nil {
		return 0, err
	}
	err = measure(p)
	p.close()
	if err != nil {
		return 0, err
	}
	after, err := server.stats(false)
	return after.CPU - before.CPU, err
}

// runWithOriginal starts an original and connects a program to it. end ends the original, and
// returns the processor's time that it has used.
func runWithOriginal(binary string) (p *program, end func() time.Duration, err error) {
	port, err := ports.Free()
	if err != nil {
		return nil, nil, err
	}
	command := exec.Command(binary, strconv.Itoa(port))
	if err := command.Start(); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", originalVariable, err)
	}
	end = func() time.Duration {
		_ = command.Process.Kill() // nothing of it is needed any more
		_ = command.Wait()
		return command.ProcessState.UserTime() + command.ProcessState.SystemTime()
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
// done: the sum of what do returns.
func rateOf(threads int, length time.Duration, do func(thread int) (int, error)) (amount, error) {
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
	return amount{float64(sum.Load()), time.Since(began).Seconds()}, err
}

// callRate returns how many calls threads make that send a byte and receive it again, each
// with a socket of its own.
func callRate(p *program, w *world, threads int, length time.Duration) (amount, error) {
	sockets := make([]*programSocket, threads)
	for i := range sockets {
		var err error
		if sockets[i], err = p.connect(w.targets.ports["echo"]); err != nil {
			return amount{}, err
		}
	}
	return rateOf(threads, length, func(thread int) (int, error) { return 2, echo(sockets[thread]) })
}

// openRate returns how many sockets are connected and closed.
func openRate(p *program, w *world, threads int, length time.Duration) (amount, error) {
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

// byteRate returns how many MB one socket moves.
func byteRate(p *program, w *world, service string, move func(io.ReadWriter, []byte) (int, error), length time.Duration) (amount, error) {
	s, err := p.connect(w.targets.ports[service])
	if err != nil {
		return amount{}, err
	}
	if err := announce(s, manyBytes); err != nil {
		return amount{}, err
	}
	buffer := make([]byte, messageSize)
	all, err := rateOf(1, length, func(int) (int, error) { return move(s, buffer) })
	if err != nil {
		return amount{}, err
	}
	all.done /= 1e6
	return all, s.reset()
}
