package line

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// alarm waits until points in time. A Go timer rings up to a millisecond late where the
// program sleeps meanwhile, because the runtime waits in whole milliseconds (epoll_wait);
// a timer of the kernel, which is a descriptor to the runtime, rings within its
// scheduling delay. An alarm belongs to one goroutine.
type alarm struct {
	timer *os.File
}

func newAlarm() (*alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("timerfd_create", err)
	}
	return &alarm{os.NewFile(uintptr(fd), "timerfd")}, nil
}

// wait returns at the time, at once if that is past.
func (a *alarm) wait(at time.Time) error {
	left := time.Until(at)
	if left <= 0 {
		return nil
	}
	raw, err := a.timer.SyscallConn()
	if err != nil {
		return err
	}
	once := unix.ItimerSpec{Value: unix.NsecToTimespec(left.Nanoseconds())}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = unix.TimerfdSettime(int(fd), 0, &once, nil) }); err != nil {
		return err
	}
	if failed != nil {
		return os.NewSyscallError("timerfd_settime", failed)
	}
	var rung [8]byte // how often, which is once
	_, err = a.timer.Read(rung[:])
	return err
}

func (a *alarm) close() { a.timer.Close() }
