package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/sockmux/sockmux/bench/hook"
	"golang.org/x/sync/errgroup"
)

// spareFiles are the descriptors that a process needs beside the connections.
const spareFiles = 100

// idle measures what streams that do nothing cost the server, many in one session.
func idle(w *world, r *report, s size) error {
	streams := s.idle
	bytes, resident, goroutines := valuesOf{}, valuesOf{}, valuesOf{}
	for _, kind := range kinds {
		if kind == "direct" {
			continue // it has no server
		}
		count := streams
		if kind != "sockmux" {
			count = min(count, files()/4) // up to two descriptors each in one process, and two ports of the system's each
		}
		fmt.Printf("%d idle streams, %s\n", count, kind)
		if err := idleStreams(w, kind, count, bytes, resident, goroutines); err != nil {
			return fmt.Errorf("%d idle streams, %s: %w", count, kind, err)
		}
	}
	name := fmt.Sprintf("%d streams in one session", streams)
	r.add(measurement{"idle stream", name + ", heap and stacks", "KiB a stream", "<= 12 KiB", bytes})
	r.add(measurement{"idle stream", name + ", resident", "KiB a stream", "", resident})
	r.add(measurement{"idle stream", name + ", goroutines", "a stream", "", goroutines})

	return nil
}

// sessions measures what sessions cost the server, with one stream each and with none.
func sessions(w *world, r *report, s size) error {
	sessions := min(s.idle, (files()-spareFiles)/2) // a session of one stream takes two descriptors
	r.Facts["sessions of one stream"] = sessions
	fmt.Printf("%d idle sessions\n", sessions)
	if _, err := w.servers["sockmux"].settled(); err != nil { // what other families have left is gone
		return err
	}
	with, withResident, without, perSession := valuesOf{}, valuesOf{}, valuesOf{}, valuesOf{}
	if err := idleSessions(w, sessions, with, withResident, without, perSession); err != nil {
		return fmt.Errorf("%d sessions: %w", sessions, err)
	}
	name := fmt.Sprintf("%d sessions", sessions)
	r.add(measurement{"idle session", name + " of one stream, heap and stacks", "KiB a session", "", with})
	r.add(measurement{"idle session", name + " of one stream, resident", "KiB a session", "", withResident})
	r.add(measurement{"idle session", name + " of none, heap and stacks", "KiB a session", "<= 64 KiB", without})
	r.add(measurement{"idle session", name + " of none, goroutines", "a session", "", perSession})
	return nil
}

func idleStreams(w *world, kind string, count int, bytes, resident, goroutines valuesOf) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	d, err := w.newDialer(ctx, kind, path{})
	if err != nil {
		return err
	}
	defer d.close()
	if err := echoOnce(ctx, w, d); err != nil { // the session is there and does not count
		return err
	}
	before, err := w.servers[kind].stats(true)
	if err != nil {
		return err
	}
	conns, err := hold(count, func() (io.ReadWriteCloser, error) { return d.dial(ctx, w.targets.ports["echo"]) })
	defer closeAll(conns)
	if err != nil {
		return err
	}
	after, err := w.servers[kind].stats(true)
	if err != nil {
		return err
	}
	if w.profile != "" {
		if err := w.servers[kind].save("heap", filepath.Join(w.profile, "streams-"+strings.ReplaceAll(kind, " ", "-")+".pprof")); err != nil {
			return err
		}
	}
	bytes.add(kind, perOne(before, after, count, func(s hook.Stats) float64 { return float64(s.Live) / 1024 }))
	resident.add(kind, perOne(before, after, count, func(s hook.Stats) float64 { return float64(s.RSS) / 1024 }))
	goroutines.add(kind, perOne(before, after, count, func(s hook.Stats) float64 { return float64(s.Goroutines) }))
	return nil
}

func idleSessions(w *world, count int, with, withResident, without, goroutines valuesOf) error {
	server := w.servers["sockmux"]
	before, err := server.stats(true)
	if err != nil {
		return err
	}
	sessions := make([]session, count)
	for i := range sessions {
		sessions[i] = newSession(server.port)
	}
	defer func() {
		var all errgroup.Group
		for _, s := range sessions {
			all.Go(func() error { s.close(); return nil })
		}
		_ = all.Wait() // it has no errors
	}()
	next := make(chan session, count)
	for _, s := range sessions {
		next <- s
	}
	conns, err := hold(count, func() (io.ReadWriteCloser, error) {
		return (<-next).dial(context.Background(), w.targets.ports["echo"])
	})
	if err != nil {
		closeAll(conns)
		return err
	}
	full, err := server.stats(true)
	if err != nil {
		return err
	}
	if w.profile != "" {
		if err := server.save("heap", filepath.Join(w.profile, "sessions-of-one-stream.pprof")); err != nil {
			return err
		}
	}
	closeAll(conns)
	empty, err := server.settled()
	if err != nil {
		return err
	}
	if w.profile != "" {
		if err := server.save("heap", filepath.Join(w.profile, "sessions-of-none.pprof")); err != nil {
			return err
		}
	}
	live := func(s hook.Stats) float64 { return float64(s.Live) / 1024 }
	with.add("sockmux", perOne(before, full, count, live))
	withResident.add("sockmux", perOne(before, full, count, func(s hook.Stats) float64 { return float64(s.RSS) / 1024 }))
	without.add("sockmux", perOne(before, empty, count, live))
	goroutines.add("sockmux", perOne(before, empty, count, func(s hook.Stats) float64 { return float64(s.Goroutines) }))
	return nil
}

func perOne(before, after hook.Stats, count int, figure func(hook.Stats) float64) float64 {
	return (figure(after) - figure(before)) / float64(count)
}

// settled waits until the number of goroutines no longer falls and returns the figures then.
func (s *server) settled() (hook.Stats, error) {
	last, err := s.stats(true)
	for unchanged := 0; unchanged < 5 && err == nil; {
		time.Sleep(100 * time.Millisecond)
		var now hook.Stats
		if now, err = s.stats(true); now.Goroutines < last.Goroutines {
			unchanged = 0
		} else {
			unchanged++
		}
		last = now
	}
	return last, err
}

// hold opens connections, each of which has had one echo.
func hold(count int, dial func() (io.ReadWriteCloser, error)) ([]io.ReadWriteCloser, error) {
	conns := make([]io.ReadWriteCloser, count)
	var all errgroup.Group
	all.SetLimit(openers)
	for i := range conns {
		all.Go(func() (err error) {
			if conns[i], err = dial(); err != nil {
				return err
			}
			return echo(conns[i])
		})
	}
	err := all.Wait()
	return conns, err
}

func closeAll(conns []io.ReadWriteCloser) {
	for _, conn := range conns {
		if conn != nil {
			_ = conn.Close() // it is idle and may go as it likes
		}
	}
}

// files is how many descriptors a process may have.
func files() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 1024
	}
	return int(min(limit.Max, 1<<20))
}
