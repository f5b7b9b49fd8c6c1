package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"
)

// openers is how many sockets are being opened at any time.
const openers = 32

// open measures how many sockets a second are opened, used for one echo, and closed.
func open(w *world, r *report, s size) error {
	rate := valuesOf{}
	for round := range s.rounds {
		for i := range kinds {
			kind := kinds[(i+round)%len(kinds)]
			seconds, err := opens(w, kind, s.opens)
			if err != nil {
				return fmt.Errorf("%s: %w", kind, err)
			}
			rate.add(kind, float64(s.opens)/seconds)
		}
	}
	r.add(measurement{"native open", fmt.Sprintf("open, echo, close, %d at a time", openers), "sockets/s", "", rate})
	return nil
}

func opens(w *world, kind string, count int) (seconds float64, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	d, err := w.newDialer(ctx, kind, path{})
	if err != nil {
		return 0, err
	}
	defer d.close()
	if err := echoOnce(ctx, w, d); err != nil { // the session is there
		return 0, err
	}
	began := time.Now()
	var all errgroup.Group
	all.SetLimit(openers)
	for range count {
		all.Go(func() error { return echoOnce(ctx, w, d) })
	}
	err = all.Wait()
	return time.Since(began).Seconds(), err
}

func echoOnce(ctx context.Context, w *world, d dialer) error {
	conn, err := d.dial(ctx, w.targets.ports["echo"])
	if err != nil {
		return err
	}
	defer conn.Close()
	return echo(conn)
}

func echo(conn io.ReadWriter) error {
	if _, err := conn.Write([]byte{7}); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, make([]byte, 1))
	return err
}
