package reach_test

import (
	"net"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// zone is what a DNS server knows: names with their dot, and the records A and CNAME that it
// answers a question for A with.
type zone map[string][]string

// serveZone answers on 127.0.0.1:53 until the test's end.
func serveZone(t *testing.T, z zone) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:53")
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
			if answer, err := z.answer(buffer[:n]); err != nil {
				t.Errorf("query: %v", err)
			} else if _, err := conn.WriteTo(answer, from); err != nil {
				t.Errorf("answer: %v", err)
			}
		}
	}()
}

// answer packs what the zone has for a query.
func (z zone) answer(query []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		return nil, err
	}
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
		}
	}
	return m.Pack()
}
