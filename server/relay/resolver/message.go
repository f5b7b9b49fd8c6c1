package resolver

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// udpSize is what an answer over UDP may have: larger ones are cut into fragments
// somewhere, and fragments get lost or forged. The figure is that of the DNS Flag Day
// 2020, and what other resolvers use.
const udpSize = 1232

// maxChain is how many aliases are followed, as in other resolvers.
const maxChain = 16

// found is what a message answers.
type found struct {
	addrs     []netip.Addr
	names     []string      // of an address, canonical
	aliases   []string      // that led to the addresses, canonical, without the name that was asked for
	ttl       time.Duration // of the addresses, or of there being none
	truncated bool
}

// addAliases adds those of the names that are not there yet.
func (f *found) addAliases(names []string) {
	for _, name := range names {
		if !slices.Contains(f.aliases, name) {
			f.aliases = append(f.aliases, name)
		}
	}
}

// errStrange is for messages that answer something else; over UDP they are passed over,
// for any host could have sent them.
var errStrange = errors.New("an answer to another question")

// errNoName is the answer that the name does not exist; of the message's two contents,
// found holds the ttl.
var errNoName = errors.New("no such name")

// pack returns a query (RFC 1035, section 4) for the records of one type. It fails for
// what is no name.
func pack(id uint16, host string, kind dnsmessage.Type) ([]byte, error) {
	name, err := dnsmessage.NewName(strings.TrimSuffix(host, ".") + ".")
	if err != nil {
		return nil, err
	}
	builder := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: id, RecursionDesired: true})
	var edns dnsmessage.ResourceHeader
	for _, step := range []func() error{
		builder.StartQuestions,
		func() error {
			return builder.Question(dnsmessage.Question{Name: name, Type: kind, Class: dnsmessage.ClassINET})
		},
		builder.StartAdditionals,
		func() error { return edns.SetEDNS0(udpSize, dnsmessage.RCodeSuccess, false) }, // RFC 6891
		func() error { return builder.OPTResource(edns, dnsmessage.OPTResource{}) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return builder.Finish()
}

// unpack reads the answer to such a query. The errors are errStrange, errNoName, and
// others for answers that are none.
func unpack(message []byte, id uint16, host string, kind dnsmessage.Type) (found, error) {
	var parser dnsmessage.Parser
	header, err := parser.Start(message)
	if err != nil || !header.Response || header.ID != id {
		return found{}, errStrange
	}
	asked, err := parser.Question()
	if err != nil || asked.Type != kind || asked.Class != dnsmessage.ClassINET || canonical(asked.Name) != strings.ToLower(strings.TrimSuffix(host, ".")) {
		return found{}, errStrange
	}
	if err := parser.SkipAllQuestions(); err != nil {
		return found{}, err
	}
	switch {
	case header.RCode != dnsmessage.RCodeSuccess && header.RCode != dnsmessage.RCodeNameError:
		return found{}, fmt.Errorf("the server answers %s", rcode(header.RCode))
	case header.Truncated:
		return found{truncated: true}, nil
	}
	answers, err := readAnswers(&parser, kind)
	if err != nil {
		return found{}, err
	}
	if header.RCode == dnsmessage.RCodeSuccess {
		if f := answers.follow(canonical(asked.Name)); len(f.addrs)+len(f.names) > 0 {
			return f, nil
		}
	}
	f := found{ttl: negativeTTL(&parser)}
	if header.RCode == dnsmessage.RCodeNameError {
		return f, errNoName
	}
	return f, nil
}

// rcode is the name of RFC 1035 and RFC 2136, as tools print it.
func rcode(code dnsmessage.RCode) string {
	switch code {
	case dnsmessage.RCodeFormatError:
		return "FORMERR"
	case dnsmessage.RCodeServerFailure:
		return "SERVFAIL"
	case dnsmessage.RCodeNotImplemented:
		return "NOTIMP"
	case dnsmessage.RCodeRefused:
		return "REFUSED"
	}
	return fmt.Sprintf("code %d", uint16(code))
}

// records are those of the answer section that matter, by the name that they belong to.
type records struct {
	aliases map[string]alias
	found   map[string]found // addresses or names
}

type alias struct {
	to  string
	ttl time.Duration
}

func readAnswers(parser *dnsmessage.Parser, kind dnsmessage.Type) (records, error) {
	r := records{make(map[string]alias), make(map[string]found)}
	for {
		header, err := parser.AnswerHeader()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			return r, nil
		}
		if err != nil {
			return r, err
		}
		name := canonical(header.Name)
		var addr netip.Addr
		var pointer string
		switch {
		case header.Class != dnsmessage.ClassINET:
			err = parser.SkipAnswer()
		case header.Type == dnsmessage.TypeCNAME:
			var body dnsmessage.CNAMEResource
			if body, err = parser.CNAMEResource(); err == nil {
				r.aliases[name] = alias{canonical(body.CNAME), seconds(header.TTL)}
			}
		case header.Type != kind:
			err = parser.SkipAnswer()
		case kind == dnsmessage.TypePTR:
			var body dnsmessage.PTRResource
			body, err = parser.PTRResource()
			pointer = canonical(body.PTR)
		case kind == dnsmessage.TypeA:
			var body dnsmessage.AResource
			body, err = parser.AResource()
			addr = netip.AddrFrom4(body.A)
		default:
			var body dnsmessage.AAAAResource
			body, err = parser.AAAAResource()
			addr = netip.AddrFrom16(body.AAAA)
		}
		if err != nil {
			return r, err
		}
		if addr.IsValid() || pointer != "" {
			f, more := r.found[name]
			if addr.IsValid() {
				f.addrs = append(f.addrs, addr)
			} else {
				f.names = append(f.names, pointer)
			}
			if ttl := seconds(header.TTL); !more || ttl < f.ttl {
				f.ttl = ttl
			}
			r.found[name] = f
		}
	}
}

// follow goes from alias to alias to the addresses. What they do not lead to is none of
// the question's business and is not believed.
func (r records) follow(name string) found {
	ttl := time.Duration(math.MaxInt64)
	var aliases []string
	for range maxChain {
		if f, here := r.found[name]; here {
			f.ttl, f.aliases = min(f.ttl, ttl), aliases
			return f
		}
		next, here := r.aliases[name]
		if !here {
			break
		}
		name, ttl = next.to, min(ttl, next.ttl)
		aliases = append(aliases, name)
	}
	return found{}
}

// negativeTTL is for how long there are no addresses (RFC 2308, section 5): 0 where the
// zone does not say.
func negativeTTL(parser *dnsmessage.Parser) time.Duration {
	for {
		header, err := parser.AuthorityHeader()
		if err != nil {
			return 0
		}
		if header.Type == dnsmessage.TypeSOA {
			body, err := parser.SOAResource()
			if err != nil {
				return 0
			}
			return min(seconds(header.TTL), seconds(body.MinTTL))
		}
		if parser.SkipAuthority() != nil {
			return 0
		}
	}
}

// seconds is a TTL; one with the highest bit is 0 (RFC 2181, section 8).
func seconds(ttl uint32) time.Duration {
	if ttl > math.MaxInt32 {
		return 0
	}
	return time.Duration(ttl) * time.Second
}

// canonical is a name as it is compared: case does not matter (RFC 4343).
func canonical(name dnsmessage.Name) string {
	return strings.ToLower(strings.TrimSuffix(name.String(), "."))
}
