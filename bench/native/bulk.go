package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"golang.org/x/sync/errgroup"
)

// messageSize is what is written at once: the plain relay's messages have it too.
const messageSize = 32 << 10

// transfer moves bytes over streams at once and returns the seconds that took, without the opening.
func transfer(ctx context.Context, w *world, d dialer, direction string, streams int, bytes int64) (float64, error) {
	port := w.targets.ports[map[string]string{"down": "source", "up": "sink"}[direction]]
	conns := make([]io.ReadWriteCloser, streams)
	for i := range conns {
		conn, err := d.dial(ctx, port)
		if err != nil {
			return 0, err
		}
		defer conn.Close()
		conns[i] = conn
	}
	each := bytes / int64(streams)
	began := time.Now()
	var all errgroup.Group
	for _, conn := range conns {
		all.Go(func() error { return move(conn, direction, each) })
	}
	err := all.Wait()
	return time.Since(began).Seconds(), err
}

// move is one stream's transfer with a service of bench/peers.
func move(conn io.ReadWriteCloser, direction string, bytes int64) error {
	if err := announce(conn, bytes); err != nil {
		return err
	}
	if direction == "down" {
		return receive(conn, bytes)
	}
	if err := send(conn, bytes); err != nil {
		return err
	}
	return confirmed(conn)
}

// announce tells a service how many bytes there will be.
func announce(conn io.Writer, bytes int64) error {
	_, err := conn.Write(binary.BigEndian.AppendUint64(nil, uint64(bytes)))
	return err
}

func receive(conn io.Reader, bytes int64) error {
	buffer := make([]byte, messageSize)
	for left := bytes; left > 0; {
		n, err := conn.Read(buffer[:min(left, messageSize)])
		if left -= int64(n); err != nil && left > 0 {
			return fmt.Errorf("%d bytes missing: %w", left, err)
		}
	}
	return nil
}

func send(conn io.Writer, bytes int64) error {
	buffer := make([]byte, messageSize)
	for left := bytes; left > 0; left -= messageSize {
		if _, err := conn.Write(buffer[:min(left, messageSize)]); err != nil {
			return err
		}
	}
	return nil
}

// confirmed waits until the sink has read all.
func confirmed(conn io.Reader) error {
	_, err := io.ReadFull(conn, make([]byte, 1))
	return err
}

// bulk measures MB/s, and what a gigabyte costs the server.
func bulk(w *world, r *report, s size) error {
	for _, direction := range s.directions {
		for _, streams := range s.counts {
			rate, cpu, alloc := valuesOf{}, valuesOf{}, valuesOf{}
			for round := range s.rounds {
				for i := range kinds {
					kind := kinds[(i+round)%len(kinds)]
					if err := bulkOf(w, kind, direction, streams, s, rate, cpu, alloc); err != nil {
						return fmt.Errorf("%s, %s, %d streams: %w", kind, direction, streams, err)
					}
				}
			}
			name := fmt.Sprintf("%s, %d streams", direction, streams)
			if streams == 1 {
				name = direction + ", 1 stream"
			}
			r.add(measurement{"native bulk", name, "MB/s", ">= 0.9 x plain ws", rate})
			r.add(measurement{"native CPU", name, "CPU s/GB", "<= 1.5 x plain ws", cpu})
			r.add(measurement{"native allocations", name, "MB/GB", "", alloc})
		}
	}
	return nil
}

func bulkOf(w *world, kind, direction string, streams int, s size, rate, cpu, alloc valuesOf) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	d, err := w.newDialer(ctx, kind, path{})
	if err != nil {
		return err
	}
	defer d.close()
	bytes := s.bytes
	if kind == "chisel" {
		bytes /= 4 // it takes its time
	}
	if _, err := transfer(ctx, w, d, direction, streams, bytes/8); err != nil { // warm
		return err
	}
	gb := float64(bytes) / 1e9
	server := w.servers[kind]
	if server == nil {
		seconds, err := transfer(ctx, w, d, direction, streams, bytes)
		rate.add(kind, gb*1000/seconds)
		return err
	}
	before, err := server.stats(false)
	if err != nil {
		return err
	}
	seconds, err := transfer(ctx, w, d, direction, streams, bytes)
	if err != nil {
		return err
	}
	after, err := server.stats(false)
	if err != nil {
		return err
	}
	rate.add(kind, gb*1000/seconds)
	cpu.add(kind, (after.CPU-before.CPU).Seconds()/gb)
	alloc.add(kind, float64(after.Alloc-before.Alloc)/1e6/gb)
	if w.profile == "" {
		return nil
	}
	return profile(w.profile, fmt.Sprintf("%s-%s-%d", kind, direction, streams), server, func() error {
		_, err := transfer(ctx, w, d, direction, streams, bytes)
		return err
	})
}

// profile writes CPU profiles of the server and of this process while it repeats what is
// measured.
func profile(folder, name string, server *server, measured func() error) error {
	file, err := os.Create(filepath.Join(folder, name+"-client.pprof"))
	if err != nil {
		return err
	}
	defer file.Close()
	if err := pprof.StartCPUProfile(file); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	profiled := make(chan error, 1)
	go func() { profiled <- server.save("profile?seconds=3", filepath.Join(folder, name+".pprof")) }()
	for began := time.Now(); time.Since(began) < 3*time.Second; {
		if err := measured(); err != nil {
			return err
		}
	}
	return <-profiled
}
