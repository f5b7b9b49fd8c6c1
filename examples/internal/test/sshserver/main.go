// Command sshserver is an SSH server for tests of what OpenSSH's does not do without PAM: it
// lets the user alice in with the password "secret". Its shell knows three commands: "size" prints
// the terminal's, "exit N" ends the shell with a status, and "vanish" ends the connection.
//
// It prints its address and the fingerprint of its key, and ends with its standard input.
package main

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/term"
)

func main() {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		log.Fatal(err)
	}
	key, err := ssh.NewSignerFromKey(private)
	if err != nil {
		log.Fatal(err)
	}
	config := &ssh.ServerConfig{PasswordCallback: func(c ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
		if c.User() != "alice" || string(password) != "secret" {
			return nil, errors.New("wrong password")
		}
		return nil, nil
	}}
	config.AddHostKey(key)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr(), ssh.FingerprintSHA256(key.PublicKey()))
	go func() { // ends with the process
		for {
			conn, err := listener.Accept()
			if err != nil {
				log.Fatal(err)
			}
			go serve(conn, config)
		}
	}()
	_, _ = io.Copy(io.Discard, os.Stdin) // its end is what is waited for
}

func serve(conn net.Conn, config *ssh.ServerConfig) {
	defer conn.Close()
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return // the client tells the test
	}
	go ssh.DiscardRequests(requests)
	for request := range channels {
		channel, requests, err := request.Accept()
		if err != nil {
			return // the client is gone
		}
		size := make(chan string, 100)
		go answer(requests, size)
		go shell(conn, channel, size)
	}
}

// answer says yes to every request and keeps the sizes of the terminal.
func answer(requests <-chan *ssh.Request, size chan<- string) {
	for r := range requests {
		payload := r.Payload
		if r.Type == "pty-req" {
			payload = payload[4+binary.BigEndian.Uint32(payload):] // behind the terminal's name
		}
		if r.Type == "pty-req" || r.Type == "window-change" {
			size <- fmt.Sprint(binary.BigEndian.Uint32(payload[4:]), " ", binary.BigEndian.Uint32(payload))
		}
		if r.WantReply {
			_ = r.Reply(true, nil) // it fails where the client is gone
		}
	}
}

func shell(conn net.Conn, channel ssh.Channel, size <-chan string) {
	defer channel.Close()
	now := ""
	lines := term.NewTerminal(channel, "alice> ")
	for {
		line, err := lines.ReadLine()
		if err != nil {
			return // the client is gone
		}
		for len(size) > 0 {
			now = <-size
		}
		switch command, argument, _ := strings.Cut(line, " "); command {
		case "size":
			fmt.Fprintln(lines, "size", now)
		case "vanish":
			_ = conn.(*net.TCPConn).SetLinger(0) // so that the client sees a reset
			_ = conn.Close()
			return
		case "exit":
			status, _ := strconv.ParseUint(argument, 10, 32) // 0 for what is no number
			_, _ = channel.SendRequest("exit-status", false, binary.BigEndian.AppendUint32(nil, uint32(status)))
			return
		default:
			fmt.Fprintln(lines, "what is", line)
		}
	}
}
