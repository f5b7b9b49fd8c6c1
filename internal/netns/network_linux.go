package netns

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// Network is a network namespace that lives as long as the thread that is in it.
type Network struct {
	thread int
	calls  chan func()
	ended  chan struct{}
}

// New makes a network in which loopback is up and nothing else is.
func New() (*Network, error) {
	n := &Network{calls: make(chan func()), ended: make(chan struct{})}
	ready := make(chan error)
	go func() {
		defer close(n.ended)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		err := os.NewSyscallError("unshare", unix.Unshare(unix.CLONE_NEWNET))
		if err == nil {
			n.thread = unix.Gettid()
			err = up("lo")
		}
		ready <- err
		if err != nil {
			return
		}
		for call := range n.calls {
			call()
		}
	}()
	if err := <-ready; err != nil {
		return nil, fmt.Errorf("a network of its own: %w", err)
	}
	return n, nil
}

// Do calls f on the thread that is in the network and returns what f returns. What f starts in
// other goroutines is elsewhere. Several goroutines may call Do; it must not be called after Close.
func (n *Network) Do(f func() error) error {
	result := make(chan error)
	n.calls <- func() { result <- f() }
	return <-result
}

// Path names the network for setns(2), from any process that may see this one.
func (n *Network) Path() string {
	return fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), n.thread)
}

// Close ends the thread. The network ends with the last process and descriptor in it.
func (n *Network) Close() {
	close(n.calls)
	<-n.ended
}

// Enter moves the calling thread, which the caller must have locked, into the network at path.
func Enter(path string) error {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer unix.Close(fd)
	return os.NewSyscallError("setns", unix.Setns(fd, unix.CLONE_NEWNET))
}
