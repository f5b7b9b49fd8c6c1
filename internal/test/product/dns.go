package product

import (
	"net"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Zone is what a DNS server of a test knows: names with their dot, and the records A, AAAA,
// PTR and CNAME of each.
type Zone map[string][]string

// DNS is a DNS server of a test.
type DNS struct {
	Zone Zone
	// Unknown is called for a name that is not in Zone, which is then not answered; nil: there is
	// no such name.
	Unknown func(name string)
}

// Serve answers on address, HOST:PORT, until the test's end. It returns the address with its port.
func (d DNS) Serve(t testing.TB, address string) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = conn.Close() // it has no other fault than being closed
		<-done
	})
	go func() {
		defer close(done)
		buffer := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			answer, err := d.answer(buffer[:n])
			if err == nil && answer != nil {
				_, err = conn.WriteTo(answer, from)
			}
			if err != nil {
				t.Errorf("a DNS query: %v", err)
			}
		}
	}()
	return conn.LocalAddr().String()
}

// answer returns nil for a query that is not to be answered.
func (d DNS) answer(query []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		return nil, err
	}
	name := strings.ToLower(m.Questions[0].Name.String())
	if _, known := d.Zone[name]; !known && d.Unknown != nil {
		d.Unknown(name)
		return nil, nil
	}
	return d.Zone.answer(m)
}

// answer packs what the zone has for a query.
func (z Zone) answer(m dnsmessage.Message) ([]byte, error) {
	q := m.Questions[0]
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	records, known := z[strings.ToLower(q.Name.String())]
	if !known {
		m.RCode = dnsmessage.RCodeNameError
	}
	owner := q.Name
	for _, record := range records {
		kind, value, _ := strings.Cut(record, " ")
		header := dnsmessage.ResourceHeader{Name: owner, Class: dnsmessage.ClassINET, TTL: 60}
		switch kind {
		case "CNAME":
			to, err := dnsmessage.NewName(value)
			if err != nil {
				return nil, err
			}
			header.Type = dnsmessage.TypeCNAME
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.CNAMEResource{CNAME: to}})
			owner = to
		case "A":
			if q.Type != dnsmessage.TypeA {
				continue
			}
			header.Type = dnsmessage.TypeA
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: [4]byte(net.ParseIP(value).To4())}})
		case "AAAA":
			if q.Type != dnsmessage.TypeAAAA {
				continue
			}
			header.Type = dnsmessage.TypeAAAA
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: [16]byte(net.ParseIP(value).To16())}})
		case "PTR":
			if q.Type != dnsmessage.TypePTR {
				continue
			}
			to, err := dnsmessage.NewName(value)
			if err != nil {
				return nil, err
			}
			header.Type = dnsmessage.TypePTR
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.PTRResource{PTR: to}})
		}
	}
	return m.Pack()
}
