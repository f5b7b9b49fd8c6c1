package app

import (
	"net/netip"
	"sync/atomic"

	"github.com/sockmux/sockmux/server/config"
	"github.com/sockmux/sockmux/server/relay"
	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/server/session/limit"
)

// policies are the named policies in force; a reload replaces all of them at once. Any
// number of goroutines may use them.
type policies struct {
	last   []policy.Rule         // behind the rules of every policy
	own    func(netip.Addr) bool // reports whether this machine has the address; nil: not known
	byName atomic.Pointer[map[string]standing]
}

// standing is what those may do who have a policy.
type standing struct {
	policy *policy.Policy
	listen policy.ListenRules
	limits limit.Limits
}

// newPolicies returns the policies of these settings, each with the rules of last behind
// its own, on a machine whose addresses own reports.
func newPolicies(settings *config.Config, last []policy.Rule, own func(netip.Addr) bool) *policies {
	p := &policies{last: last, own: own}
	p.set(settings)
	return p
}

func (p *policies) set(settings *config.Config) {
	byName := make(map[string]standing, len(settings.Policies))
	for name, one := range settings.Policies {
		rules := append(one.Rules[:len(one.Rules):len(one.Rules)], p.last...)
		byName[name] = standing{policy.New(rules).WithOwn(p.own), one.Listen, one.Limits}
	}
	p.byName.Store(&byName)
}

// find returns the policy of that name; credentials need not name one.
func (p *policies) find(name string) (standing, bool) {
	if name == "" {
		name = config.DefaultPolicy
	}
	found, known := (*p.byName.Load())[name]
	return found, known
}

// limits is what session.Config wants.
func (p *policies) limits(name string) (limit.Limits, bool) {
	found, known := p.find(name)
	return found.limits, known
}

// closed is for a stream whose policy has just been taken away; its session is about to end.
var closed = policy.New([]policy.Rule{policy.DenyAll()})

// terms are those on which a client's stream is served.
func (p *policies) terms(who session.Client) relay.Terms {
	found, known := p.find(who.Identity.Policy)
	if !known {
		found.policy = closed
	}
	return relay.Terms{
		Policy:       found.policy,
		Listen:       found.listen,
		MaxListeners: found.limits.Listeners,
		Sockets:      who.Sockets,
		Memory:       who.Memory,
		DialTimeout:  found.limits.DialTimeout,
		IdleTimeout:  found.limits.StreamIdle,
		Lifetime:     found.limits.StreamLifetime,
		Meter:        who.Account,
		Client:       who.Event,
		Outlives:     who.Outlives,
	}
}
