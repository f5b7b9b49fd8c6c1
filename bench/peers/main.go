// Command peers runs, for the benchmarks, what both sides of a comparison need: the
// services that are reached, over TCP and UDP, the plain relay with one WebSocket for each
// TCP connection, a SOCKS5 server, and simulated lines in front of any of them. It prints
// one JSON line with the ports, then answers each JSON line of its standard input, a wish
// for a line, with one of its own. It ends with its standard input.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	_ "github.com/sockmux/sockmux/bench/hook"
	"github.com/sockmux/sockmux/bench/line"
)

func main() {
	relayHost := flag.String("relay", "127.0.0.1", "the address at which the plain relay listens")
	flag.Parse()
	if err := run(os.Stdin, os.Stdout, *relayHost); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(stdin io.Reader, stdout io.Writer, relayHost string) error {
	ports := map[string]int{}
	for name, handle := range map[string]func(net.Conn){"echo": echo, "source": source, "text": text, "sink": sink, "pour": pour, "drain": drain, "socks": socks} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer listener.Close()
		ports[name] = port(listener)
		go serve(listener, handle)
	}
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	defer socket.Close()
	ports["datagrams"] = socket.LocalAddr().(*net.UDPAddr).Port
	go echoDatagrams(socket)
	listener, err := net.Listen("tcp", net.JoinHostPort(relayHost, "0"))
	if err != nil {
		return err
	}
	ports["relay"] = port(listener)
	mux := http.NewServeMux()
	mux.HandleFunc("/relay/{port}", relay)
	server := &http.Server{Handler: mux}
	defer server.Close()
	go server.Serve(listener)

	answers := json.NewEncoder(stdout)
	if err := answers.Encode(ports); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var lines sync.WaitGroup
	defer lines.Wait()
	defer cancel()
	wishes := bufio.NewScanner(stdin)
	for wishes.Scan() {
		var w wish
		if err := json.Unmarshal(wishes.Bytes(), &w); err != nil {
			return fmt.Errorf("wish for a line %q: %w", wishes.Text(), err)
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		path := line.New(line.Config{RTT: time.Duration(w.RTT * float64(time.Millisecond)), Rate: w.Rate, Flight: w.Flight})
		lines.Go(func() {
			if err := path.Serve(ctx, listener, fmt.Sprintf("127.0.0.1:%d", w.To)); err != nil {
				fmt.Fprintln(os.Stderr, "peers: line:", err)
			}
		})
		if err := answers.Encode(map[string]int{"port": port(listener)}); err != nil {
			return err
		}
	}
	return wishes.Err()
}

// wish asks for a line to a local port.
type wish struct {
	To   int     `json:"to"`
	RTT  float64 `json:"rtt"`  // milliseconds
	Rate int     `json:"rate"` // bytes per second; 0 is unlimited
	// Flight is line.Config's.
	Flight int `json:"flight"`
}

func port(listener net.Listener) int { return listener.Addr().(*net.TCPAddr).Port }
