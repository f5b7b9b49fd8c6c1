package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/sockmux/sockmux/bench/hook"
	"github.com/sockmux/sockmux/internal/test/ports"
)

// Where make puts the programs; the benchmark runs in its own folder.
const (
	sockmuxBinary = "../../bin/bench-sockmux"
	peersBinary   = "../../bin/bench-peers"
)

// startTimeout is how long a server may take to listen.
const startTimeout = 20 * time.Second

// world is every process that is measured, each with a hook.
type world struct {
	targets *peers // the services, and the lines
	servers map[string]*server
	sshd    *sshd // where ssh -R is measured
	profile string
	stops   []func()
}

// server is one of the rivals' servers.
type server struct {
	port int
	hook string // URL
}

// peers is a bench-peers process.
type peers struct {
	ports map[string]int

	mu      sync.Mutex
	wishes  io.Writer
	answers *json.Decoder
}

func startWorld(s size) (*world, error) {
	w := &world{servers: map[string]*server{}}
	if err := w.start(s); err != nil {
		w.stop()
		return nil, err
	}
	return w, nil
}

func (w *world) start(s size) (err error) {
	if w.targets, _, err = w.startPeers(); err != nil {
		return err
	}
	// The plain relay has a process of its own, so that its CPU time is not the targets'.
	relay, relayHook, err := w.startPeers()
	if err != nil {
		return err
	}
	w.servers["plain ws"] = &server{port: relay.ports["relay"], hook: relayHook}

	limit := strconv.Itoa(s.idle + 1000)
	// The short grace frees what a measurement leaves behind before the next begins.
	args := []string{"--log-level", "error", "--grace", "1s", "--max-sessions", limit, "--max-streams", limit, "--allow-posix", "--allow-listen", "tcp://127.0.0.1:*", "--listen"}
	for _, name := range []string{"echo", "source", "sink"} {
		args = append([]string{"--allow", fmt.Sprintf("127.0.0.1:%d", w.targets.ports[name])}, args...)
	}
	if w.servers["sockmux"], err = w.startServer(sockmuxBinary, args, true); err != nil {
		return err
	}
	if slices.Contains(listenKinds, remoteForward) {
		if err := w.startSSHD(); err != nil {
			return err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	w.servers["chisel"], err = w.startServer(self, []string{"-serve-chisel"}, false)
	return err
}

// startServer runs a server whose last argument is the address or the port to listen on.
func (w *world) startServer(binary string, args []string, address bool) (*server, error) {
	port, err := ports.Free()
	if err != nil {
		return nil, err
	}
	hookPort, err := ports.Free()
	if err != nil {
		return nil, err
	}
	last := strconv.Itoa(port)
	if address {
		last = "127.0.0.1:" + last
	}
	command := exec.Command(binary, append(args, last)...)
	s := &server{port: port, hook: w.hooked(command, hookPort)}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("%w: run make bench-deps", err)
	}
	w.endWith(command)
	return s, listening(port, binary)
}

func (w *world) startPeers() (*peers, string, error) {
	hookPort, err := ports.Free()
	if err != nil {
		return nil, "", err
	}
	command := exec.Command(peersBinary)
	url := w.hooked(command, hookPort)
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, "", err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := command.Start(); err != nil {
		return nil, "", fmt.Errorf("%w: run make bench-deps", err)
	}
	w.endWith(command)
	p := &peers{wishes: stdin, answers: json.NewDecoder(bufio.NewReader(stdout))}
	return p, url, p.answers.Decode(&p.ports)
}

func (w *world) hooked(command *exec.Cmd, port int) string {
	address := fmt.Sprintf("127.0.0.1:%d", port)
	command.Env = append(os.Environ(), hook.Variable+"="+address)
	command.Stderr = stderr
	return "http://" + address
}

func (w *world) endWith(command *exec.Cmd) {
	w.stops = append(w.stops, func() {
		_ = command.Process.Kill() // nothing of it is needed any more
		_ = command.Wait()
	})
}

func (w *world) stop() {
	for _, stop := range w.stops {
		stop()
	}
}

// path is a line to be measured over; the zero value is none.
type path struct {
	rtt    time.Duration
	flight int // of one connection, in bytes; 0: as much as it likes
}

// line returns the port of a new line to a port.
func (p *peers) line(to int, path path) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := json.NewEncoder(p.wishes).Encode(map[string]any{"to": to, "rtt": path.rtt.Seconds() * 1000, "flight": path.flight}); err != nil {
		return 0, err
	}
	var answer struct{ Port int }
	err := p.answers.Decode(&answer)
	return answer.Port, err
}

// stats reads the figures of the server's process.
func (s *server) stats(collect bool) (hook.Stats, error) {
	url := s.hook + "/stats"
	if collect {
		url += "?gc=1"
	}
	var stats hook.Stats
	response, err := http.Get(url)
	if err != nil {
		return stats, err
	}
	defer response.Body.Close()
	return stats, json.NewDecoder(response.Body).Decode(&stats)
}

// save writes a profile of the server's process to a file; what is its path and query.
func (s *server) save(what, file string) error {
	response, err := http.Get(s.hook + "/" + what)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	_, err = io.Copy(out, response.Body)
	return err
}

func listening(port int, what string) error {
	deadline := time.Now().Add(startTimeout)
	for {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s does not listen: %w", what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
