package resolver

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// System looks names up with the system's hosts file and DNS servers, without a cache. It is
// for tests and tools; a server uses a Resolver.
type System struct{}

// Lookup is that of Resolver.
func (System) Lookup(ctx context.Context, network, name string) (Answer, error) {
	f, err := system{}.lookup(ctx, question{network, strings.ToLower(name)})
	return Answer{f.addrs, f.names, f.aliases, systemTTL}, err
}

// system is the system's hosts file and DNS servers, asked by Go's resolver. The C library's
// is never used: it takes a thread for each lookup and does not tell aliases.
type system struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error) // nil: a net.Dialer's
}

func (s system) lookup(ctx context.Context, q question) (found, error) {
	// Go's resolver tells no aliases either, so its messages are read on their way. It is a new
	// one for each lookup: one that is shared answers two lookups of a name by one message.
	seen := messages{dialer: s.dial}
	if seen.dialer == nil {
		seen.dialer = new(net.Dialer).DialContext
	}
	resolver := net.Resolver{PreferGo: true, Dial: seen.dial}
	if q.network == PTR {
		return namesOf(ctx, &resolver, q.host)
	}
	addrs, err := resolver.LookupNetIP(ctx, q.network, absolute(q.host))
	for i, addr := range addrs {
		addrs[i] = addr.Unmap() // the resolver returns IPv4 in either form
	}
	return found{addrs: addrs, aliases: seen.aliases(q.host), ttl: -1}, asDNSError(err, q.host)
}

// namesOf looks up the names of the address that Reverse finds in host.
func namesOf(ctx context.Context, resolver *net.Resolver, host string) (found, error) {
	addr, _ := Reverse(host)
	names, err := resolver.LookupAddr(ctx, addr.String())
	for i, name := range names {
		names[i] = strings.ToLower(strings.TrimSuffix(name, "."))
	}
	if err == nil && len(names) == 0 {
		err = notFound(host, "")
	}
	return found{names: names, ttl: -1}, asDNSError(err, host)
}

// asDNSError returns the error of a lookup as a *net.DNSError about host.
func asDNSError(err error, host string) error {
	var dns *net.DNSError
	var family *net.AddrError // the name has addresses, but none of the family
	switch {
	case err == nil:
		return nil
	case errors.As(err, &family):
		return notFound(host, "")
	case errors.As(err, &dns):
		dns.Name = host
		return err
	}
	return &net.DNSError{Err: err.Error(), Name: host, UnwrapErr: err}
}

func (system) close() {}

// absolute is a name with the dot at its end that keeps the search list of resolv.conf out:
// a rule about a name would not see the name that is asked for in its place.
func absolute(name string) string { return strings.TrimSuffix(name, ".") + "." }

// messages are the DNS messages that one lookup has received.
type messages struct {
	dialer func(ctx context.Context, network, address string) (net.Conn, error)

	mu   sync.Mutex // the lookup asks for both kinds of address at once
	list [][]byte
}

// dial is net.Resolver's Dial.
func (m *messages) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := m.dialer(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if udp, ok := conn.(*net.UDPConn); ok {
		return datagrams{udp, m}, nil
	}
	return &segments{Conn: conn, to: m}, nil
}

func (m *messages) add(message []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list = append(m.list, append([]byte(nil), message...))
}

// datagrams is a connection to a DNS server of which each Read returns a message.
type datagrams struct {
	*net.UDPConn
	to *messages
}

func (d datagrams) Read(b []byte) (int, error) {
	n, err := d.UDPConn.Read(b)
	if n > 0 {
		d.to.add(b[:n])
	}
	return n, err
}

// segments is a connection to a DNS server on which a length of two bytes is in front of each
// message (RFC 1035, section 4.2.2).
type segments struct {
	net.Conn
	to     *messages
	unread []byte // received, and not yet a whole message
}

func (s *segments) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	s.unread = append(s.unread, b[:n]...)
	for len(s.unread) >= 2 {
		end := 2 + int(binary.BigEndian.Uint16(s.unread))
		if len(s.unread) < end {
			break
		}
		s.to.add(s.unread[2:end])
		s.unread = s.unread[end:]
	}
	return n, err
}

// aliases returns the names that host is an alias of, by any of the messages. A message that
// the resolver has not accepted may be among them: it can deny the host, and never allow it.
func (m *messages) aliases(host string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all found
	for _, message := range m.list {
		var parser dnsmessage.Parser
		if _, err := parser.Start(message); err != nil {
			continue
		}
		asked, err := parser.Question()
		if err != nil || canonical(asked.Name) != strings.TrimSuffix(host, ".") || parser.SkipAllQuestions() != nil {
			continue
		}
		answers, err := readAnswers(&parser, asked.Type)
		if err != nil {
			continue
		}
		all.addAliases(answers.follow(canonical(asked.Name)).aliases)
	}
	return all.aliases
}
