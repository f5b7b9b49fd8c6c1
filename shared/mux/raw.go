package mux

import "github.com/hashicorp/yamux"

// raw is a yamux stream whose Read and Write end with the session. yamux's own look again and again, once the session has ended, until their stream has been told, in a
// loop that gives way to nobody: where all goroutines share one thread that nothing preempts (a browser), a call that begins between the two never returns.
// A deadline that has passed ends that loop, and lets what was received before be read.
type raw struct{ *yamux.Stream }

func (r raw) Read(b []byte) (int, error) {
	if r.Session().IsClosed() {
		_ = r.SetReadDeadline(past) // never fails
	}
	return r.Stream.Read(b)
}

func (r raw) Write(b []byte) (int, error) {
	if r.Session().IsClosed() {
		_ = r.SetWriteDeadline(past) // never fails
	}
	return r.Stream.Write(b)
}
