// Command peers runs, for the benchmarks, what both sides of a comparison need: the TCP services that are reached, and the plain
// relay with one WebSocket for each TCP connection. It prints one JSON line with the addresses and ends with its
// standard input.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(stdin io.Reader, stdout io.Writer) error {
	ports := map[string]int{}
	listen := func(name string) (net.Listener, error) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err == nil {
			ports[name] = listener.Addr().(*net.TCPAddr).Port
		}
		return listener, err
	}
	for name, handle := range map[string]func(net.Conn){"echo": echo, "source": source, "sink": sink} {
		listener, err := listen(name)
		if err != nil {
			return err
		}
		defer listener.Close()
		go serve(listener, handle)
	}
	listener, err := listen("relay")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/relay/{port}", relay)
	server := &http.Server{Handler: mux}
	defer server.Close()
	go server.Serve(listener)
	if err := json.NewEncoder(stdout).Encode(ports); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, stdin)
	return err
}
