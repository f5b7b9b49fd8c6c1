package main

import (
	"context"
	"fmt"
	"time"
)

// longLine is the round trip at which one stream is measured.
const longLine = 100 * time.Millisecond

// delay measures one stream over a long line.
func delay(w *world, r *report, s size) error {
	for _, direction := range []string{"down", "up"} {
		rate := valuesOf{}
		for round := range s.rounds {
			for i := range kinds {
				kind := kinds[(i+round)%len(kinds)]
				seconds, bytes, err := longTransfer(w, kind, direction, s.long)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", kind, direction, err)
				}
				rate.add(kind, float64(bytes)/1e6/seconds)
			}
		}
		r.add(measurement{"long line", fmt.Sprintf("%s, 1 stream, RTT %d ms", direction, longLine.Milliseconds()), "MB/s", ">= 0.9 x direct", rate})
	}
	return nil
}

func longTransfer(w *world, kind, direction string, bytes int64) (float64, int64, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	d, err := w.newDialer(ctx, kind, longLine)
	if err != nil {
		return 0, 0, err
	}
	defer d.close()
	if kind == "chisel" {
		bytes /= 4 // 15 MB/s at best
	}
	seconds, err := transfer(ctx, w, d, direction, 1, bytes)
	return seconds, bytes, err
}
