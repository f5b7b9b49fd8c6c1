package limit

import "sync"

// mostClients bounds the memory of Counters, at about 300 bytes for each client. Beyond
// it those are forgotten first who have no session and have taken little.
const mostClients = 100_000

// firstSweep is how many clients Counters have before they first look for those that can
// be forgotten.
const firstSweep = 1024

// Counters hold what all clients have taken. Any number of goroutines may use it.
type Counters struct {
	most int

	mu       sync.Mutex
	accounts map[string]*Client
	sweepAt  int
}

// NewCounters returns empty counters.
func NewCounters() *Counters {
	return &Counters{most: mostClients, accounts: make(map[string]*Client), sweepAt: firstSweep}
}

// Enter counts one more session of a client, and returns the account that the client has
// from earlier sessions, now with these limits. The error is a *Refused. Who entered
// calls Client.Leave once.
func (b *Counters) Enter(client string, limits Limits) (*Client, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.accounts[client]
	if a == nil {
		if !b.room() {
			return nil, Refuse(Clients, "the server has its %d clients", b.most)
		}
		a = newClient(b, client, limits)
	} else {
		a.SetLimits(limits)
	}
	if err := a.enter(); err != nil {
		return nil, err
	}
	b.accounts[client] = a
	return a, nil
}

// Clients returns how many are remembered.
func (b *Counters) Clients() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.accounts)
}

func (b *Counters) leave(a *Client) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a.mu.Lock()
	a.sessions--
	a.mu.Unlock()
	if a.idle() {
		delete(b.accounts, a.client)
	}
}

// room forgets who can be forgotten, now and then, and reports whether there may be one
// more client.
func (b *Counters) room() bool {
	if len(b.accounts) < min(b.sweepAt, b.most) {
		return true
	}
	b.forget((*Client).idle)
	if len(b.accounts) >= b.most {
		b.forget((*Client).light)
	}
	// Sweeps are rare beside the clients that come between them.
	b.sweepAt = max(firstSweep, 2*len(b.accounts))
	return len(b.accounts) < b.most
}

func (b *Counters) forget(which func(*Client) bool) {
	for client, a := range b.accounts {
		if which(a) {
			delete(b.accounts, client)
		}
	}
}
