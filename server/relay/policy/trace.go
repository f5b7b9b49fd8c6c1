package policy

import (
	"fmt"
	"net/netip"

	"github.com/sockmux/sockmux/shared/wire"
)

// Step is one rule of a Trace and what it has to do with the target.
type Step struct {
	Rule    Rule
	Decides bool
	Why     string // why it decides, or why not
}

// Trace says rule by rule how host at addr is decided, up to the rule that decides. The
// verdict is the sentence of Explain.
func (p *Policy) Trace(host wire.Host, aliases []string, addr netip.AddrPort) (steps []Step, allowed bool, verdict string) {
	d := p.decide(host, aliases, addr)
	asked := namesOf(host, aliases)
	if d.class.never {
		return nil, false, d.String()
	}
	for _, r := range p.all {
		step := Step{Rule: r, Why: r.why(p.protocol, asked, addr, d.class)}
		step.Decides = step.Why == matches
		steps = append(steps, step)
		if step.Decides {
			break
		}
	}
	return steps, d.allowed, d.String()
}

// matches is the Why of the rule that decides.
const matches = "matches"

// why reports whether the rule is about a target, in the order in which a person would look.
func (r *Rule) why(protocol Protocol, asked names, addr netip.AddrPort, class class) string {
	switch {
	case r.only != 0 && r.only != protocol:
		return "is about " + r.only.String()
	case !r.ports.contain(addr.Port()):
		return fmt.Sprintf("is about other ports than %d", addr.Port())
	case r.match(asked, addr.Addr(), class):
		return matches
	case r.kind == prefix:
		return addr.Addr().String() + " is outside"
	case r.kind == publicOnly:
		return addr.Addr().String() + " is not public: " + class.name
	case !r.matchNames(asked):
		return "is about other names"
	case r.kind == exactName:
		return "no name leads to " + addr.Addr().String() + ": " + class.name
	default:
		return "a pattern leads to public addresses only, and " + addr.Addr().String() + " is not: " + class.name
	}
}
