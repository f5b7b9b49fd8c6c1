package limit

import "sync"

// mostClients bounds the memory of a Book, at about 300 bytes for each client. Beyond it those are forgotten first who have no session and have taken little.
const mostClients = 100_000

// firstSweep is how many clients a Book has before it first looks for those that can be forgotten.
const firstSweep = 1024

// Book holds the accounts of all clients. Any number of goroutines may use it.
type Book struct {
	most int

	mu       sync.Mutex
	accounts map[string]*Account
	sweepAt  int
}

// NewBook returns an empty book.
func NewBook() *Book {
	return &Book{most: mostClients, accounts: make(map[string]*Account), sweepAt: firstSweep}
}

// Enter counts one more session of a client, and returns the account that the client has from earlier sessions, now with these limits. The error is a *Refused. Who entered
// calls Account.Leave once.
func (b *Book) Enter(client string, limits Limits) (*Account, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.accounts[client]
	if a == nil {
		if !b.room() {
			return nil, Refuse(Clients, "the server has its %d clients", b.most)
		}
		a = newAccount(b, client, limits)
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
func (b *Book) Clients() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.accounts)
}

func (b *Book) leave(a *Account) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a.mu.Lock()
	a.sessions--
	a.mu.Unlock()
	if a.idle() {
		delete(b.accounts, a.client)
	}
}

// room forgets who can be forgotten, now and then, and tells whether there may be one more client.
func (b *Book) room() bool {
	if len(b.accounts) < min(b.sweepAt, b.most) {
		return true
	}
	b.forget((*Account).idle)
	if len(b.accounts) >= b.most {
		b.forget((*Account).light)
	}
	// Sweeps are rare beside the clients that come between them.
	b.sweepAt = max(firstSweep, 2*len(b.accounts))
	return len(b.accounts) < b.most
}

func (b *Book) forget(which func(*Account) bool) {
	for client, a := range b.accounts {
		if which(a) {
			delete(b.accounts, client)
		}
	}
}
