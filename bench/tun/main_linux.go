// Command tun runs a command at the far end of a line of real TCP: two networks, a device in each,
// and between them a path with a rate, a delay and a queue. What TCP does, slow start and recovery
// of losses, is the kernel's own, which a line in user space (bench/line) hides.
//
//	tun COMMAND [ARGUMENT...]
//	tun --enter NETWORK COMMAND [ARGUMENT...]
//
// The command finds in its environment:
//
//	BENCH_TUN   the URL to which it PUTs a path as JSON, {"rtt": 20, "rate": 12.5e6, "queue": 250000,
//	            "jitter": 0}: milliseconds, bytes a second, bytes; the answer is what the path before carried
//	BENCH_NEAR  the near end's network, for --enter
//	BENCH_FAR   the far end's address as the near end sees it
//
// It needs root, or a system that lets a user make user namespaces.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockmux/sockmux/internal/netns"
)

func main() {
	err := run(os.Args[1:])
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		os.Exit(max(exit.ExitCode(), 1))
	case err != nil:
		fmt.Fprintln(os.Stderr, "tun:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) > 2 && arguments[0] == "--enter" {
		return enter(arguments[1], arguments[2:])
	}
	if len(arguments) == 0 {
		return errors.New("usage: tun COMMAND [ARGUMENT...]")
	}
	if os.Getuid() != 0 {
		return asRoot(arguments)
	}
	line, err := NewLine()
	if err != nil {
		return fmt.Errorf("a line needs root, or user namespaces and /dev/net/tun: %w", err)
	}
	return errors.Join(atFarEnd(line, arguments), line.Close())
}

// enter replaces this process by the command, in the network.
func enter(network string, arguments []string) error {
	runtime.LockOSThread()
	if err := netns.Enter(network); err != nil {
		return err
	}
	path, err := exec.LookPath(arguments[0])
	if err != nil {
		return err
	}
	return fmt.Errorf("%s: %w", path, syscall.Exec(path, arguments, os.Environ()))
}

// asRoot runs this program again in a user namespace, in which it has root's rights over networks
// of its own.
func asRoot(arguments []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	command := start(self, arguments)
	command.SysProcAttr.Cloneflags = unix.CLONE_NEWUSER
	command.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
	command.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	runtime.LockOSThread() // the child ends with this thread
	defer runtime.UnlockOSThread()
	if err := command.Start(); err != nil {
		return fmt.Errorf("a line needs root, or user namespaces and /dev/net/tun: %w", err)
	}
	return wait(command)
}

// atFarEnd runs the command and returns its error.
func atFarEnd(line *Line, arguments []string) error {
	var listener net.Listener
	command := start(arguments[0], arguments[1:])
	err := line.Far.Do(func() (err error) {
		if listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return err
		}
		command.Env = append(os.Environ(), "BENCH_TUN=http://"+listener.Addr().String()+"/path",
			"BENCH_NEAR="+line.Near.Path(), "BENCH_FAR="+farAddress.Addr().String())
		return command.Start() // on the thread that is in the network
	})
	if err != nil {
		return err
	}
	server := &http.Server{Handler: control(line)}
	defer server.Close()
	go server.Serve(listener)
	return wait(command)
}

// start prepares a command that has this program's streams and ends with it.
func start(name string, arguments []string) *exec.Cmd {
	command := exec.Command(name, arguments...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return command
}

// wait waits for the command and passes on what asks it to end.
func wait(command *exec.Cmd) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, unix.SIGTERM)
	defer signal.Stop(signals)
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	for {
		select {
		case s := <-signals:
			_ = command.Process.Signal(s) // it has ended, or the next signal comes
		case err := <-ended:
			return err
		}
	}
}

// control answers requests for another path.
func control(line *Line) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /path", func(w http.ResponseWriter, r *http.Request) {
		var wish struct{ RTT, Rate, Queue, Jitter float64 }
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&wish); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		milliseconds := func(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }
		stats, err := line.Set(Path{RTT: milliseconds(wish.RTT), Rate: wish.Rate, Queue: int(wish.Queue), Jitter: milliseconds(wish.Jitter)})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]Stats{"down": stats[0], "up": stats[1]}) // the client sees a cut answer
	})
	return mux
}
