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
	Limits limit.Limits
}

// policyText is a policy as the file has it.
type policyText struct {
	name, source string
	rules        []ruleText
	hasRules     bool
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
		mistakes = append(mistakes, apply(limitsOf(&p.Limits), t.limits)...)
		if t.name == DefaultPolicy {
			if t.hasRules && len(c.Rules) > 0 {
				from := place(layers...)
				name := "allow"
				if !slices.ContainsFunc(layers, func(l layer) bool { return l.has(name) }) {
					name = "deny"
				}
				mistakes = append(mistakes, &Error{from(name), "makes the policy " + DefaultPolicy + ", which has rules already (" + t.source + "): say them in one place"})
			}
			if t.hasRules {
				c.Rules = p.Rules
			}
			p.Rules = c.Rules
		}
		c.Policies[t.name] = p
	}
	if _, ok := c.Policies[DefaultPolicy]; !ok {
		c.Policies[DefaultPolicy] = Policy{Name: DefaultPolicy, Rules: c.Rules, Limits: c.Limits}
	}
	return mistakes
}

// PolicyNames lists the policies in the order of the alphabet.
func (c *Config) PolicyNames() []string { return sortedKeys(c.Policies) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
