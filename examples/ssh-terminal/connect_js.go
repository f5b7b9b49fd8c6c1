package main

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"syscall/js"
	"time"

	"github.com/sockmux/sockmux"
	"github.com/sockmux/sockmux/examples/internal/page"
	"golang.org/x/crypto/ssh"
)

// The codes of errors that no sockmux.Dialer returns.
const (
	codeHostKey    = "host_key"   // the user does not trust the key
	codePassphrase = "passphrase" // the private key wants another one
	codeKey        = "key"        // the private key cannot be read
	codeAuth       = "auth"       // the host refuses the user
	codeSSH        = "ssh"        // the host speaks another protocol
	codeSilent     = "silent"     // the host does not answer
	codeLost       = "lost"       // the connection has ended without an exit status
)

// connect opens a connection, logs in and starts a shell. The page gives host, port, user,
// password or key with passphrase, timeout in seconds, cols, rows, onHostKey, onData, and
// knownKeyType if it has seen the host before.
func connect(dialer *sockmux.Dialer, options js.Value) (any, error) {
	text := func(name string) string {
		if v := options.Get(name); v.Type() == js.TypeString {
			return v.String()
		}
		return ""
	}
	methods, err := methodsFor(text("password"), text("key"), text("passphrase"))
	if err != nil {
		return nil, err
	}
	address := net.JoinHostPort(text("host"), strconv.Itoa(options.Get("port").Int()))
	asked := &trust{ask: options.Get("onHostKey"), timeout: time.Duration(options.Get("timeout").Int()) * time.Second}
	config := &ssh.ClientConfig{User: text("user"), Auth: methods, HostKeyCallback: asked.check}
	if known := text("knownKeyType"); known == ssh.KeyAlgoRSA {
		config.HostKeyAlgorithms = []string{ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512}
	} else if known != "" {
		config.HostKeyAlgorithms = []string{known}
	}
	ctx, cancel := context.WithTimeout(context.Background(), asked.timeout)
	defer cancel()
	if asked.conn, err = dialer.DialContext(ctx, "tcp", address); err != nil {
		return nil, err
	}
	conn := asked.conn
	asked.hurry()
	c, channels, requests, err := ssh.NewClientConn(conn, address, config)
	if err != nil {
		_ = conn.Close() // the error above says more
		return nil, asked.reason(err)
	}
	asked.wait()
	client := ssh.NewClient(c, channels, requests)
	shell, err := newShell(client, options)
	if err != nil {
		_ = client.Close() // likewise
		return nil, page.Reason{Code: codeSSH, Err: err}
	}
	return shell, nil
}

// methodsFor returns how the user proves who it is.
func methodsFor(password, key, passphrase string) ([]ssh.AuthMethod, error) {
	if key == "" {
		answer := func(_, _ string, questions []string, _ []bool) ([]string, error) {
			answers := make([]string, len(questions))
			for i := range answers {
				answers[i] = password
			}
			return answers, nil
		}
		return []ssh.AuthMethod{ssh.Password(password), ssh.KeyboardInteractive(answer)}, nil
	}
	signer, err := ssh.ParsePrivateKey([]byte(key))
	var missing *ssh.PassphraseMissingError
	if errors.As(err, &missing) {
		if signer, err = ssh.ParsePrivateKeyWithPassphrase([]byte(key), []byte(passphrase)); err != nil {
			return nil, page.Reason{Code: codePassphrase, Err: err}
		}
	}
	if err != nil {
		return nil, page.Reason{Code: codeKey, Err: err}
	}
	return []ssh.AuthMethod{ssh.PublicKeys(signer)}, nil
}

// trust asks the page whether a host's key is the right one. The host must answer in time, and
// the user need not.
type trust struct {
	ask     js.Value
	conn    net.Conn
	timeout time.Duration
	shown   bool
	denied  bool
}

func (t *trust) hurry() { _ = t.conn.SetDeadline(time.Now().Add(t.timeout)) } // it fails only on a closed one
func (t *trust) wait()  { _ = t.conn.SetDeadline(time.Time{}) }               // likewise

func (t *trust) check(_ string, _ net.Addr, key ssh.PublicKey) error {
	t.shown = true
	t.wait()
	defer t.hurry()
	answer, err := page.Await(t.ask.Invoke(key.Type(), ssh.FingerprintSHA256(key)))
	if err == nil && !answer.Bool() {
		err = errors.New("the host's key is not trusted")
	}
	t.denied = err != nil
	return err
}

// reason says at which step a handshake has failed.
func (t *trust) reason(err error) error {
	var lost *net.OpError
	switch {
	case t.denied:
		return page.Reason{Code: codeHostKey, Err: err}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return page.Reason{Code: codeSilent, Err: err}
	case errors.As(err, &lost):
		return err
	case t.shown && errors.Is(err, io.EOF):
		return page.Reason{Code: codeLost, Err: err}
	case t.shown:
		return page.Reason{Code: codeAuth, Err: err}
	default:
		return page.Reason{Code: codeSSH, Err: err}
	}
}
