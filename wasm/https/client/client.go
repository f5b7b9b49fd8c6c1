// Package client does the page's requests and TLS connections over its streams. Its methods named
// after messages (package message) never wait.
package client

import (
	"context"
	"io"
	"strings"
	"sync"

	"github.com/sockmux/sockmux/shared/wire"
	"github.com/sockmux/sockmux/wasm/https/flow"
	"github.com/sockmux/sockmux/wasm/https/message"
	"github.com/sockmux/sockmux/wasm/https/streams"
	"github.com/sockmux/sockmux/wasm/memory"
)

// bufferSize is that of the buffers for what passes. A record of TLS is not longer.
const bufferSize = 16 << 10

// Client holds what is under way.
type Client struct {
	page    streams.Page
	pool    *memory.Pool
	streams *streams.Set

	mu     sync.Mutex
	agents map[uint32]*agent
	faults map[uint32]string // of agents whose settings are wrong
	live   map[uint32]*task
}

// task is a request or a TLS connection.
type task struct {
	id     uint32
	up     *flow.Queue  // what the page gives
	down   *flow.Credit // what it takes
	ctx    context.Context
	cancel context.CancelCauseFunc
	ends   chan struct{} // closed: the connection ends behind what the page gave
	end    func()        // closes ends
}

// New returns a client over the page's streams.
func New(page streams.Page, pool *memory.Pool, set *streams.Set) *Client {
	return &Client{
		page: page, pool: pool, streams: set,
		agents: make(map[uint32]*agent), faults: make(map[uint32]string), live: make(map[uint32]*task),
	}
}

// Agent is the message of that name.
func (c *Client) Agent(number uint32, settings []byte) {
	a, err := newAgent(c.streams, string(settings))
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.faults[number] = err.Error()
		return
	}
	c.agents[number] = a
}

// Forget is the message of that name. What is under way goes on.
func (c *Client) Forget(number uint32) {
	c.mu.Lock()
	a := c.agents[number]
	delete(c.agents, number)
	delete(c.faults, number)
	c.mu.Unlock()
	if a != nil {
		a.transport.CloseIdleConnections()
	}
}

// Request is the message of that name.
func (c *Client) Request(id, agent uint32, head []byte) {
	c.start(id, agent, string(head), c.exchange, message.End)
}

// Secure is the message of that name.
func (c *Client) Secure(id, agent uint32, settings []byte) {
	c.start(id, agent, string(settings), c.secure, message.Done)
}

// start runs a task. Its last message is last, or Failed.
func (c *Client) start(id, number uint32, given string, run func(*task, *agent, string) error, last uint32) {
	t := &task{id: id, down: flow.NewCredit(message.Window), ends: make(chan struct{})}
	t.end = sync.OnceFunc(func() { close(t.ends) })
	t.up = flow.NewQueue(c.pool, func(n int) { c.page.Tell(message.Took, id, uint32(n), nil) })
	t.ctx, t.cancel = context.WithCancelCause(context.Background())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.live[id] = t
	a, fault := c.agents[number], c.faults[number]
	go func() {
		var err error
		if a == nil {
			err = &streams.Error{Code: wire.InvalidRequest, Text: fault}
		} else {
			err = run(t, a, given)
		}
		c.mu.Lock()
		delete(c.live, id)
		c.mu.Unlock()
		t.cancel(context.Canceled)
		t.up.Fail(context.Canceled)
		if err == nil {
			c.page.Tell(last, id, 0, nil)
			return
		}
		code, text := explain(err)
		c.page.Tell(message.Failed, id, uint32(code), []byte(text))
	}()
}

func (c *Client) get(id uint32) *task {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.live[id]
}

// Give is the message of that name. It owns the buffer, which is of the pool.
func (c *Client) Give(id uint32, b []byte) {
	if t := c.get(id); t != nil {
		t.up.Put(b)
		return
	}
	c.pool.Put(b)
}

// Finish is the message of that name.
func (c *Client) Finish(id uint32, ends bool) {
	if t := c.get(id); t != nil {
		t.up.End(io.EOF)
		if ends {
			t.end()
		}
	}
}

// Abort is the message of that name.
func (c *Client) Abort(id uint32) {
	if t := c.get(id); t != nil {
		t.cancel(context.Canceled)
		t.up.Fail(context.Canceled)
		t.down.Fail(context.Canceled)
	}
}

// Grant is the message of that name.
func (c *Client) Grant(id uint32, n int) {
	if t := c.get(id); t != nil {
		t.down.Give(n)
	}
}

// fields splits text with NULs between its parts.
func fields(text string) []string { return strings.Split(text, "\x00") }
