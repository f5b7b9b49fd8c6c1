package resolver

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/net/dns/dnsmessage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// zone is what a test's server knows: name and type to what it answers.
type zone map[string]reply

// reply is one answer. Records are "A 192.0.2.1", "AAAA 2001:db8::1", "CNAME
// www.example." with a time to live in front and, where it is not the name that was asked
// for, the owner before that: "60 A 192.0.2.1", "www.example. 60 A 192.0.2.1".
type reply struct {
	code      dnsmessage.RCode
	records   []string
	soa       uint32 // minimum of the zone's SOA record; 0: none
	truncated bool   // over UDP
	silent    bool
	forge     int // so many datagrams before the answer that are none: wrong number, wrong question, garbage
}

// answer packs what the zone has for a query; ok is false for silence.
func (z zone) answer(t *testing.T, query []byte, udp bool) (messages [][]byte, ok bool) {
	t.Helper()
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		t.Errorf("a query that is none: %v", err)
		return nil, false
	}
	if len(m.Questions) != 1 || !m.RecursionDesired || m.Response || len(m.Additionals) != 1 || m.Additionals[0].Header.Type != dnsmessage.TypeOPT {
		t.Errorf("strange query %+v", m)
	}
	q := m.Questions[0]
	r, known := z[strings.ToLower(q.Name.String())+" "+strings.TrimPrefix(q.Type.String(), "Type")]
	if !known {
		r = reply{code: dnsmessage.RCodeNameError}
	}
	if r.silent {
		return nil, false
	}
	for i := range r.forge {
		forged := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true}, Questions: m.Questions, Answers: []dnsmessage.Resource{record(t, q, "60 A 203.0.113.66")}}
		switch i % 4 {
		case 0:
			forged.ID++
		case 1:
			forged.Questions = []dnsmessage.Question{{Name: dnsmessage.MustNewName("other.example."), Type: q.Type, Class: q.Class}}
		case 2:
			forged.Response = false
		case 3:
			messages = append(messages, []byte("garbage"))
			continue
		}
		messages = append(messages, packed(t, forged))
	}
	m.Response, m.RecursionAvailable, m.RCode, m.Additionals = true, true, r.code, nil
	m.Truncated = r.truncated && udp
	if !m.Truncated {
		for _, text := range r.records {
			m.Answers = append(m.Answers, record(t, q, text))
		}
	}
	if r.soa > 0 {
		m.Authorities = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName("example."), Class: dnsmessage.ClassINET, TTL: 3600},
			Body:   &dnsmessage.SOAResource{NS: dnsmessage.MustNewName("ns.example."), MBox: dnsmessage.MustNewName("a.example."), MinTTL: r.soa},
		}}
	}
	return append(messages, packed(t, m)), true
}

func packed(t *testing.T, m dnsmessage.Message) []byte {
	t.Helper()
	message, err := m.Pack()
	if err != nil {
		t.Errorf("packing: %v", err)
	}
	return message
}

func record(t *testing.T, q dnsmessage.Question, text string) dnsmessage.Resource {
	t.Helper()
	fields := strings.Fields(text)
	owner := q.Name
	if len(fields) == 4 {
		owner = dnsmessage.MustNewName(fields[0])
		fields = fields[1:]
	}
	var ttl uint32
	for _, digit := range fields[0] {
		ttl = ttl*10 + uint32(digit-'0')
	}
	header := dnsmessage.ResourceHeader{Name: owner, Class: dnsmessage.ClassINET, TTL: ttl}
	switch fields[1] {
	case "A":
		return dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: netip.MustParseAddr(fields[2]).As4()}}
	case "AAAA":
		return dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr(fields[2]).As16()}}
	case "PTR":
		return dnsmessage.Resource{Header: header, Body: &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName(fields[2])}}
	case "TXT":
		return dnsmessage.Resource{Header: header, Body: &dnsmessage.TXTResource{TXT: []string{fields[2]}}}
	}
	return dnsmessage.Resource{Header: header, Body: &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName(fields[2])}}
}

// dnsServer is a server of a zone on the loopback interface, over UDP and TCP.
type dnsServer struct {
	addr string
	mu   sync.Mutex // protects asked
	seen []string
}

func serveZone(t *testing.T, z zone) *dnsServer {
	t.Helper()
	// The TCP port first: a free one for both is found sooner.
	var tcp net.Listener
	var udp net.PacketConn
	for udp == nil {
		var err error
		if tcp, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		if udp, err = net.ListenPacket("udp", tcp.Addr().String()); err != nil {
			tcp.Close()
		}
	}
	s := &dnsServer{addr: tcp.Addr().String()}
	var group sync.WaitGroup
	t.Cleanup(func() {
		tcp.Close()
		udp.Close()
		group.Wait()
	})
	group.Go(func() {
		buffer := make([]byte, 4096)
		for {
			n, from, err := udp.ReadFrom(buffer)
			if err != nil {
				return
			}
			s.note("udp", buffer[:n])
			if messages, ok := z.answer(t, buffer[:n], true); ok {
				for _, message := range messages {
					_, _ = udp.WriteTo(message, from)
				}
			}
		}
	})
	group.Go(func() {
		for {
			conn, err := tcp.Accept()
			if err != nil {
				return
			}
			var size [2]byte
			if _, err := io.ReadFull(conn, size[:]); err == nil {
				query := make([]byte, binary.BigEndian.Uint16(size[:]))
				_, _ = io.ReadFull(conn, query)
				s.note("tcp", query)
				if messages, ok := z.answer(t, query, false); ok {
					last := messages[len(messages)-1]
					_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(last))), last...))
				}
			}
			conn.Close()
		}
	})
	return s
}

func (s *dnsServer) note(network string, query []byte) {
	var m dnsmessage.Message
	_ = m.Unpack(query)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, network+" "+m.Questions[0].Name.String()+" "+strings.TrimPrefix(m.Questions[0].Type.String(), "Type"))
}

func (s *dnsServer) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.seen...)
}

func open(t *testing.T, config Config) *Resolver {
	t.Helper()
	r, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func texts(addrs []netip.Addr) string {
	var list []string
	for _, addr := range addrs {
		list = append(list, addr.String())
	}
	return strings.Join(list, " ")
}
