// Command ssh runs a command on a host behind a sockmux server, and ends with its exit status.
// The host's key must be in the file of known hosts, as ssh(1) writes it. The keys are those of
// the SSH agent, or of a file.
//
//	go run ./examples/ssh --server http://127.0.0.1:8088/ alice@host.example.org:22 uname -a
package main

import (
	"errors"
	"flag"
	"log"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"github.com/sockmux/sockmux"
	"golang.org/x/crypto/ssh"
)

func main() {
	home, _ := os.UserHomeDir() // "" where there is none: the paths below do not exist then
	server := flag.String("server", "http://127.0.0.1:8088/", "URL of the sockmux server")
	token := flag.String("token", os.Getenv("SOCKMUX_TOKEN"), "credential for the sockmux server")
	identity := flag.String("identity", "", "file of a private key, in place of the SSH agent's keys")
	hosts := flag.String("known-hosts", filepath.Join(home, ".ssh", "known_hosts"), "file of known hosts")
	flag.Parse()
	if flag.NArg() < 2 {
		log.Fatal("usage: ssh [flags] [USER@]HOST:PORT COMMAND...")
	}
	name, address, ok := strings.Cut(flag.Arg(0), "@")
	if !ok {
		me, err := user.Current()
		if err != nil {
			log.Fatal(err)
		}
		name, address = me.Username, flag.Arg(0)
	}
	config := &ssh.ClientConfig{User: name}
	if err := errors.Join(trust(config, *hosts, address), authenticate(config, *identity)); err != nil {
		log.Fatal(err)
	}
	dialer := &sockmux.Dialer{URL: *server, Token: *token}
	err := run(dialer, address, config, strings.Join(flag.Args()[1:], " "))
	_ = dialer.Close() // always nil
	if exit := (*ssh.ExitError)(nil); errors.As(err, &exit) {
		os.Exit(exit.ExitStatus())
	}
	if err != nil {
		log.Fatal(err)
	}
}

func run(dialer *sockmux.Dialer, address string, config *ssh.ClientConfig, command string) error {
	conn, err := dialer.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	c, channels, requests, err := ssh.NewClientConn(conn, address, config)
	if err != nil {
		return err
	}
	client := ssh.NewClient(c, channels, requests)
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	defer session.Close()
	session.Stdin, session.Stdout, session.Stderr = os.Stdin, os.Stdout, os.Stderr
	return session.Run(command)
}
