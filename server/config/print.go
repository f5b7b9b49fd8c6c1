package config

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sockmux/sockmux/server/session/limit"
)

// Print returns the settings in force as a file for --config: that file alone gives the
// same configuration, but for secrets, which are masked. Settings that are empty are left
// out.
func (c *Config) Print() string {
	root, limits := section(), section()
	for _, s := range settingsOf(c) {
		if s.print == nil || s.noFile {
			continue
		}
		to := root
		if s.section == limitsSection {
			to = limits
		}
		add(to, s)
	}
	put(root, limitsSection, limits)
	put(root, policiesSection, c.policiesNode())
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(root); err != nil {
		panic(err) // a tree of texts can be encoded
	}
	return b.String()
}

// policiesNode has of each policy the rules, what may be listened on, and the limits of its own.
func (c *Config) policiesNode() *yaml.Node {
	policies := section()
	common := limitsOf(&c.Limits)
	for _, name := range c.PolicyNames() {
		p := c.Policies[name]
		node, limits := section(), section()
		if len(p.Rules) > 0 {
			rules := &yaml.Node{Kind: yaml.SequenceNode}
			for _, r := range p.Rules {
				verdict, target, _ := strings.Cut(r.String(), " ")
				rule := section()
				put(rule, verdict, scalar(target))
				rules.Content = append(rules.Content, rule)
			}
			put(node, "rules", rules)
		}
		if len(p.Listen) > 0 {
			list := &yaml.Node{Kind: yaml.SequenceNode}
			for _, r := range p.Listen {
				list.Content = append(list.Content, scalar(r.String()))
			}
			put(node, listenSection, list)
		}
		for i, s := range limitsOf(new(limit.Limits)) {
			own := limitsOf(&p.Limits)[i].print()[0]
			if own != common[i].print()[0] {
				put(limits, s.name, scalar(own))
			}
		}
		put(node, limitsSection, limits)
		if len(node.Content) > 0 {
			put(policies, name, node)
		}
	}
	return policies
}

// add writes one setting.
func add(to *yaml.Node, s setting) {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, text := range s.print() {
		if text != "" {
			list.Content = append(list.Content, scalar(text))
		}
	}
	switch {
	case len(list.Content) == 0:
	case s.repeatable:
		put(to, s.name, list)
	default:
		put(to, s.name, list.Content[0])
	}
}

func section() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode} }

func scalar(text string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: text} }

// put adds a key, unless there is nothing below it.
func put(to *yaml.Node, key string, value *yaml.Node) {
	if value.Kind == yaml.ScalarNode || len(value.Content) > 0 {
		to.Content = append(to.Content, scalar(key), value)
	}
}

// Restart names the settings that differ from those of old and that a running server does
// not take over.
func (c *Config) Restart(old *Config) (names []string) {
	before := settingsOf(old)
	for i, s := range settingsOf(c) {
		if s.print != nil && !s.live && strings.Join(s.print(), "\n") != strings.Join(before[i].print(), "\n") {
			names = append(names, s.name)
		}
	}
	return names
}
