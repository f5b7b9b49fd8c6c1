//go:build !js

package sockmux_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/sockmux/sockmux"
)

func Example() {
	dialer := &sockmux.Dialer{URL: "https://sockmux.example.org/", Token: os.Getenv("SOCKMUX_TOKEN")}
	defer dialer.Close()
	conn, err := dialer.Dial("tcp", "db.example.org:5432")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	fmt.Fprintln(conn, "hello")
}

// An HTTP client whose requests leave through the server.
func ExampleDialer_DialContext_http() {
	dialer := &sockmux.Dialer{URL: "https://sockmux.example.org/"}
	defer dialer.Close()
	client := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, ForceAttemptHTTP2: true}}
	response, err := client.Get("https://intranet.example.org/")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	_, _ = io.Copy(os.Stdout, response.Body) // an error ends the output
}

// Errors are those of package net, and have the server's reason.
func ExampleDialer_DialContext_errors() {
	dialer := &sockmux.Dialer{URL: "https://sockmux.example.org/"}
	defer dialer.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := dialer.DialContext(ctx, "tcp", "db.example.org:5432")
	var name *net.DNSError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		fmt.Println("nothing listens there")
	case errors.As(err, &name) && name.IsNotFound:
		fmt.Println("there is no host", name.Name)
	case errors.Is(err, context.DeadlineExceeded):
		fmt.Println("no answer in time; the session:", dialer.Status().State)
	}
}

// The target sees the end of what it is sent, and may still answer.
func ExampleConn_CloseWrite() {
	dialer := &sockmux.Dialer{URL: "https://sockmux.example.org/"}
	defer dialer.Close()
	conn, err := dialer.Dial("tcp", "whois.example.org:43")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	fmt.Fprintln(conn, "question")
	_ = conn.(*sockmux.Conn).CloseWrite() // an error shows in the answer
	_, _ = io.Copy(os.Stdout, conn)       // as above
}
