// Package sdnotify tells systemd how the service is doing (sd_notify(3), Type=notify and
// Type=notify-reload of systemd.service(5)).
package sdnotify

import (
	"fmt"
	"net"
	"os"
	"strings"
)

// Variable is the environment variable in which systemd names its socket.
const Variable = "NOTIFY_SOCKET"

// The states of sd_notify(3).
const (
	Ready    = "READY=1"
	Stopping = "STOPPING=1"
	// Status begins a line for people, which systemctl status shows.
	Status = "STATUS="
)

// Reloading says that a reload has begun; Ready says that it has ended, also when it has
// failed. systemd wants the time of its beginning on the monotonic clock, or takes the
// message for an old one.
func Reloading() string {
	return fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", monotonicMicroseconds())
}

// Send sends states to the socket that the environment names. Without one, outside
// systemd, it does nothing. It never waits for an answer.
func Send(states ...string) error { return SendTo(os.Getenv(Variable), states...) }

// SendTo sends states to a socket: a path, or "@name" for an abstract one. Empty: there
// is no listener.
func SendTo(socket string, states ...string) error {
	if socket == "" {
		return nil
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"}) // "@" is understood by package net
	if err != nil {
		return fmt.Errorf("notify systemd: %w", err)
	}
	defer c.Close()
	if _, err := c.Write([]byte(strings.Join(states, "\n"))); err != nil {
		return fmt.Errorf("notify systemd: %w", err)
	}
	return nil
}
