package main

import (
	"errors"
	"io"
	"syscall/js"

	"github.com/sockmux/sockmux/examples/internal/page"
	"golang.org/x/crypto/ssh"
)

// newShell starts a shell with a terminal. It returns the page's object for it: the host's
// version, write(bytes), resize(cols, rows), close(), and closed, a promise of the exit status.
// The first two return promises; the page must await one before it calls the next.
func newShell(client *ssh.Client, options js.Value) (any, error) {
	session, err := client.NewSession()
	if err != nil {
		return nil, err
	}
	input, err := session.StdinPipe()
	if err != nil {
		return nil, err
	}
	session.Stdout = screen{options.Get("onData")}
	modes := ssh.TerminalModes{ssh.ECHO: 1, ssh.IUTF8: 1, ssh.TTY_OP_ISPEED: 38400, ssh.TTY_OP_OSPEED: 38400}
	if err := session.RequestPty("xterm-256color", options.Get("rows").Int(), options.Get("cols").Int(), modes); err != nil {
		return nil, err
	}
	if err := session.Shell(); err != nil {
		return nil, err
	}
	return map[string]any{
		"version": string(client.ServerVersion()),
		"write": method(func(args []js.Value) (any, error) {
			return input.Write(page.Bytes(args[0]))
		}),
		"resize": method(func(args []js.Value) (any, error) {
			return nil, session.WindowChange(args[1].Int(), args[0].Int())
		}),
		"close":  method(func([]js.Value) (any, error) { return nil, client.Close() }),
		"closed": page.Promise(func() (any, error) { return wait(client, session) }),
	}, nil
}

// method returns a function that returns a promise. It stays as long as the program, as the
// page may call it at any time.
func method(f func(args []js.Value) (any, error)) js.Func {
	return js.FuncOf(func(_ js.Value, args []js.Value) any {
		return page.Promise(func() (any, error) { return f(args) })
	})
}

// wait returns the shell's exit status: {status, signal}.
func wait(client *ssh.Client, session *ssh.Session) (any, error) {
	err := session.Wait()
	_ = client.Close() // the shell was its use
	var exit *ssh.ExitError
	switch {
	case err == nil:
		return map[string]any{"status": 0, "signal": ""}, nil
	case errors.As(err, &exit):
		return map[string]any{"status": exit.ExitStatus(), "signal": exit.Signal()}, nil
	}
	if end := client.Wait(); end != nil && !errors.Is(end, io.EOF) {
		err = end
	}
	return nil, page.Reason{Code: codeLost, Err: err}
}

// screen gives the page what the shell prints, and waits until it is shown.
type screen struct{ onData js.Value }

// Write implements io.Writer.
func (s screen) Write(b []byte) (int, error) {
	if _, err := page.Await(s.onData.Invoke(page.Array(b))); err != nil {
		return 0, err
	}
	return len(b), nil
}
