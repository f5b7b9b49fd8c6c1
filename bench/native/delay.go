package main

import (
	"context"
	"fmt"
	"time"

	"github.com/sockmux/sockmux/bench/line"
)

// longLine is the round trip at which one stream is measured.
const longLine = 100 * time.Millisecond

// delay measures one stream over a long line: one whose TCP is Linux's as it comes, and
// one whose TCP takes as much as it gets.
func delay(w *world, r *report, s size) error {
	for _, line := range []struct {
		name  string
		path  path
		bytes int64
	}{
		{", TCP as Linux has it", path{rtt: longLine, flight: line.LinuxFlight}, s.long / 8},
		{"", path{rtt: longLine}, s.long},
	} {
		for _, direction := range s.directions {
			rate := valuesOf{}
			for round := range s.rounds {
				for i := range kinds {
					kind := kinds[(i+round)%len(kinds)]
					seconds, bytes, err := longTransfer(w, kind, direction, line.path, line.bytes)
					if err != nil {
						return fmt.Errorf("%s, %s: %w", kind, direction, err)
					}
					rate.add(kind, float64(bytes)/1e6/seconds)
				}
			}
			r.add(measurement{"long line", fmt.Sprintf("%s, 1 stream, RTT %d ms%s", direction, longLine.Milliseconds(), line.name), "MB/s", ">= 0.9 x direct", rate})
		}
	}
	return nil
}

// chiselLong is what chisel moves over a long line: 15 MB/s at best.
const chiselLong = 24 << 20

// longTransfer measures the second half of what a stream moves: in the first every rival
// comes to its speed, which takes round trips that the line's own TCP connections do not
// have.
func longTransfer(w *world, kind, direction string, path path, bytes int64) (float64, int64, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	d, err := w.newDialer(ctx, kind, path)
	if err != nil {
		return 0, 0, err
	}
	defer d.close()
	if kind == "chisel" {
		bytes = min(bytes, chiselLong)
	}
	conn, err := d.dial(ctx, w.targets.ports[map[string]string{"down": "source", "up": "sink"}[direction]])
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close()
	if err := announce(conn, 2*bytes); err != nil {
		return 0, 0, err
	}
	if direction == "down" {
		if err := receive(conn, bytes); err != nil {
			return 0, 0, err
		}
		began := time.Now()
		err = receive(conn, bytes)
		return time.Since(began).Seconds(), bytes, err
	}
	if err := send(conn, bytes); err != nil {
		return 0, 0, err
	}
	began := time.Now()
	if err := send(conn, bytes); err != nil {
		return 0, 0, err
	}
	err = confirmed(conn)
	return time.Since(began).Seconds(), bytes, err
}
