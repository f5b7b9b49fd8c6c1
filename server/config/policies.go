package config

import (
	"fmt"
	"maps"
	"slices"

	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/server/session/limit"
)

// DefaultPolicy is the name of the policy of those who have no other. --allow and --deny
// are its rules.
const DefaultPolicy = "default"

// Policy is what those may do whose credentials name it.
type Policy struct {
	Name   string
	Rules  []policy.Rule
	Listen policy.ListenRules
	Limits limit.Limits
}

// policyText is a policy as the file has it.
type policyText struct {
	name, source string
	rules        []ruleText
	hasRules     bool
	listen       []ruleText
	hasListen    bool
	limits       layer
}

// ruleText is one rule.
type ruleText struct {
	allow        bool
	text, source string
}

// addPolicies makes the policies. It is called when the settings are known, whose limits
// hold where a policy has none of its own.
func (c *Config) addPolicies(texts []policyText, layers ...layer) (mistakes []*Error) {
	c.Policies = make(map[string]Policy)
	for _, t := range texts {
		p := Policy{Name: t.name, Limits: c.Limits}
		for _, r := range t.rules {
			rule, err := policy.ParseRule(r.allow, r.text)
			if err != nil {
				mistakes = append(mistakes, &Error{r.source, fmt.Sprintf("%q: %s", r.text, err)})
				continue
			}
			p.Rules = append(p.Rules, rule)
		}
		for _, r := range t.listen {
			rule, err := policy.ParseListenRule(r.text)
			if err != nil {
				mistakes = append(mistakes, &Error{r.source, fmt.Sprintf("%q: %s", r.text, err)})
				continue
			}
			p.Listen = append(p.Listen, rule)
		}
		mistakes = append(mistakes, apply(limitsOf(&p.Limits), t.limits)...)
		if t.name == DefaultPolicy {
			twice := func(names ...string) {
				given := slices.IndexFunc(names, func(name string) bool {
					return slices.ContainsFunc(layers, func(l layer) bool { return l.has(name) })
				})
				from := place(layers...)
				mistakes = append(mistakes, &Error{from(names[max(given, 0)]), "makes the policy " + DefaultPolicy + ", which has rules already (" + t.source + "): say them in one place"})
			}
			if t.hasRules && len(c.Rules) > 0 {
				twice("allow", "deny")
			}
			if t.hasListen && len(c.AllowListen) > 0 {
				twice("allow-listen")
			}
			if t.hasRules {
				c.Rules = p.Rules
			}
			if t.hasListen {
				c.AllowListen = p.Listen
			}
			p.Rules, p.Listen = c.Rules, c.AllowListen
		}
		c.Policies[t.name] = p
	}
	if _, ok := c.Policies[DefaultPolicy]; !ok {
		c.Policies[DefaultPolicy] = Policy{Name: DefaultPolicy, Rules: c.Rules, Listen: c.AllowListen, Limits: c.Limits}
	}
	return mistakes
}

// PolicyNames lists the policies in the order of the alphabet.
func (c *Config) PolicyNames() []string { return sortedKeys(c.Policies) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
