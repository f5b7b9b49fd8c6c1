package main

import (
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// burst is how many packets are read before those that are due are written.
const burst = 64

// direction forwards packets from one device to the other. It has a thread of its own, which waits
// in the kernel: a goroutine's timer would be late by up to a millisecond.
type direction struct {
	from, to int // descriptors that do not block

	mu    sync.Mutex
	queue *queue
	stats Stats
}

// Stats count the packets of one direction. Those that the kernel has yet to cut count once.
type Stats struct {
	Packets, Bytes, Dropped int64
}

// set begins a new path. Packets on their way arrive as the old one would have it.
func (d *direction) set(path Path, seed uint64) Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	stats := d.stats
	d.queue, d.stats = newQueue(path, seed), Stats{}
	return stats
}

// run forwards until stop, a descriptor, is readable or a call fails.
func (d *direction) run(stop int) error {
	runtime.LockOSThread() // and never unlocked: its timers stay precise
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0); err != nil {
		return err
	}
	// A line does not wait for a processor. Without the right to it, it has what all have.
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, -20)
	begin := time.Now()
	var way packets
	scratch := make([]byte, longest)
	for {
		if err := d.read(&way, scratch, begin); err != nil {
			return err
		}
		wait, err := d.write(&way, begin)
		if err != nil {
			return err
		}
		fds := []unix.PollFd{{Fd: int32(d.from), Events: unix.POLLIN}, {Fd: int32(stop), Events: unix.POLLIN}}
		if _, err := unix.Ppoll(fds, wait, nil); err != nil && err != unix.EINTR {
			return err
		}
		if fds[1].Revents != 0 {
			return nil
		}
	}
}

// read admits the packets that the device has, up to a burst.
func (d *direction) read(way *packets, scratch []byte, begin time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for range burst {
		n, err := unix.Read(d.from, scratch)
		switch {
		case err == unix.EAGAIN:
			return nil
		case err == unix.EINTR:
			continue
		case err != nil:
			return err
		case n <= headerLength:
			continue
		}
		bytes := wireBytes(scratch[:n])
		arrival, ok := d.queue.admit(time.Since(begin), bytes)
		if !ok {
			d.stats.Dropped++
			continue
		}
		d.stats.Packets++
		d.stats.Bytes += int64(bytes)
		way.push(arrival, scratch[:n])
	}
	return nil
}

// write passes on the packets that have arrived and returns how long until the next one, nil if
// there is none.
func (d *direction) write(way *packets, begin time.Time) (*unix.Timespec, error) {
	for {
		next, ok := way.next()
		if !ok {
			return nil, nil
		}
		if left := next.arrival - time.Since(begin); left > 0 {
			wait := unix.NsecToTimespec(left.Nanoseconds())
			return &wait, nil
		}
		// A packet that the device has no room for, or finds wrong, is lost as on any line.
		if _, err := unix.Write(d.to, next.bytes); err != nil && err != unix.EAGAIN && err != unix.EINVAL && err != unix.ENOBUFS {
			return nil, err
		}
		way.drop()
	}
}
