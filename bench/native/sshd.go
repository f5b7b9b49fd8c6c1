package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"

	"golang.org/x/crypto/ssh"

	"github.com/sockmux/sockmux/internal/test/ports"
)

// sshdScript runs OpenSSH's server for the tests of the examples.
const sshdScript = "../../examples/internal/test/sshd"

// sshd is OpenSSH's server.
type sshd struct {
	port   int
	folder string // with the user's key
}

// hasSSHD reports whether OpenSSH's server is installed.
func hasSSHD() bool {
	if _, err := exec.LookPath("sshd"); err == nil {
		return true
	}
	_, err := os.Stat("/usr/sbin/sshd") // where Debian has it, which is not in the PATH of every user
	return err == nil
}

// startSSHD starts the server; it ends with the world.
func (w *world) startSSHD() error {
	folder, err := os.MkdirTemp("", "bench-sshd-")
	if err != nil {
		return err
	}
	w.stops = append(w.stops, func() { _ = os.RemoveAll(folder) })
	port, err := ports.Free()
	if err != nil {
		return err
	}
	command := exec.Command(sshdScript, folder, strconv.Itoa(port))
	if err := command.Start(); err != nil {
		return err
	}
	w.endWith(command)
	w.sshd = &sshd{port, folder}
	return listening(port, "sshd")
}

// dial logs in.
func (s *sshd) dial() (*ssh.Client, error) {
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(filepath.Join(s.folder, "user"))
	if err != nil {
		return nil, err
	}
	key, err := ssh.ParsePrivateKey(pem)
	if err != nil {
		return nil, err
	}
	return ssh.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port), &ssh.ClientConfig{
		User:            me.Username,
		Auth:            []ssh.AuthMethod{ssh.PublicKeys(key)},
		HostKeyCallback: ssh.InsecureIgnoreHostKey(), // this run has made it
		Timeout:         startTimeout,
	})
}
