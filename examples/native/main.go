// Command native sends a line through a sockmux server to a target and prints what comes back:
// a Go program behind a firewall that lets only HTTPS out.
//
//	go run ./examples/native http://127.0.0.1:8088/ whois.iana.org:43 example.org
package main

import (
	"fmt"
	"io"
	"log"
	"os"

	"github.com/sockmux/sockmux"
)

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: native SERVER HOST:PORT LINE")
	}
	dialer := &sockmux.Dialer{URL: os.Args[1], Token: os.Getenv("SOCKMUX_TOKEN")}
	conn, err := dialer.Dial("tcp", os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprintln(conn, os.Args[3])
	_ = conn.(*sockmux.Conn).CloseWrite() // the target sees the end, and may still answer
	if _, err := io.Copy(os.Stdout, conn); err != nil {
		log.Fatal(err)
	}
	_ = dialer.Close() // always nil
}
