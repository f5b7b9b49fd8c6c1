package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sockmux/sockmux/server/session/limit"
)

// maxFile is the longest file that is read: thousands of policies, and no device by mistake.
const maxFile = 1 << 20

// listenSection is where a policy has what its clients may listen on: a list, or one.
const listenSection = "listen"

// policiesSection is where the file has policies.
const policiesSection = "policies"

// readFile reads the file that the strongest of the layers names. Without a name there is
// nothing to read.
func readFile(settings []setting, layers ...layer) (given layer, policies []policyText, mistakes []*Error) {
	for _, l := range layers {
		path, source := "", ""
		for _, v := range l {
			if v.name == "config" {
				path, source = v.text, v.source
			}
		}
		if path == "" {
			continue
		}
		content, err := readAtMost(path, maxFile)
		if err != nil {
			return nil, nil, []*Error{{source, fmt.Sprintf("%q %s: want a YAML file", path, err)}}
		}
		return parseFile(settings, path, content)
	}
	return nil, nil, nil
}

// readAtMost reads a file that has no more than that many bytes. Its errors follow the
// file's name in a sentence.
func readAtMost(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, errors.New("cannot be read (" + reason(err) + ")")
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, most+1))
	switch {
	case err != nil:
		return nil, errors.New("cannot be read (" + reason(err) + ")")
	case int64(len(content)) > most:
		return nil, fmt.Errorf("is longer than %d bytes", most)
	}
	return content, nil
}

// fileReader turns the nodes of one file into values.
type fileReader struct {
	path     string
	mistakes []*Error
}

// parseFile reads the text of a file. Its nodes are taken as texts, so that a value means
// in the file what it means in a flag.
func parseFile(settings []setting, path string, content []byte) (given layer, policies []policyText, mistakes []*Error) {
	r := &fileReader{path: path}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document yaml.Node
	if err := decoder.Decode(&document); err == io.EOF {
		return nil, nil, nil // empty, or nothing but comments
	} else if err != nil {
		return nil, nil, []*Error{r.syntax(err)}
	}
	var second yaml.Node
	if err := decoder.Decode(&second); err != io.EOF {
		if err != nil {
			return nil, nil, []*Error{r.syntax(err)}
		}
		return nil, nil, []*Error{{r.at(&second, ""), "a second document: want one"}}
	}
	root := document.Content[0]
	if isNull(root) {
		return nil, nil, nil
	}
	top, limits := inSection(settings, ""), inSection(settings, limitsSection)
	r.mapping(root, "", func(key, node *yaml.Node) {
		switch key.Value {
		case limitsSection:
			r.mapping(node, limitsSection, func(key, node *yaml.Node) {
				given = append(given, r.setting(limits, limitsSection, key, node)...)
			})
		case policiesSection:
			r.mapping(node, policiesSection, func(key, node *yaml.Node) {
				policies = append(policies, r.policy(key, node))
			})
		default:
			if find(limits, key.Value) != nil {
				r.wrong(key, key.Value, "belongs into the section "+limitsSection)
				return
			}
			given = append(given, r.setting(top, "", key, node, limitsSection, policiesSection)...)
		}
	})
	return given, policies, r.mistakes
}

// inSection returns the settings that may stand there.
func inSection(settings []setting, section string) (in []setting) {
	for _, s := range settings {
		if !s.flagOnly && !s.noFile && s.section == section {
			in = append(in, s)
		}
	}
	return in
}

func find(settings []setting, name string) *setting {
	for i := range settings {
		if settings[i].name == name {
			return &settings[i]
		}
	}
	return nil
}

// at is the place of a node: FILE:LINE, with what stands there where that is known.
func (r *fileReader) at(node *yaml.Node, what string) string {
	place := fmt.Sprintf("%s:%d", r.path, node.Line)
	if what != "" {
		place += ": " + what
	}
	return place
}

func (r *fileReader) wrong(node *yaml.Node, what, problem string) {
	r.mistakes = append(r.mistakes, &Error{r.at(node, what), problem})
}

// syntaxLine is how the YAML library says where it stopped.
var syntaxLine = regexp.MustCompile(`^yaml: line (\d+): `)

// syntax gives the library's error the form of all others.
func (r *fileReader) syntax(err error) *Error {
	text := err.Error()
	if strings.Contains(text, "expected alphabetic or numeric character") { // of the name of an alias
		text += `: a value that begins with * or & needs quotes, such as "*:25"`
	}
	if match := syntaxLine.FindStringSubmatch(text); match != nil {
		return &Error{r.path + ":" + match[1], "not YAML: " + strings.TrimPrefix(text, match[0])}
	}
	return &Error{r.path, "not YAML: " + strings.TrimPrefix(text, "yaml: ")}
}

// mapping calls each for the keys of a node. what is the name of the node for messages.
func (r *fileReader) mapping(node *yaml.Node, what string, each func(key, value *yaml.Node)) {
	if isNull(node) {
		return // a section whose lines are all comments
	}
	if node.Kind != yaml.MappingNode {
		r.wrong(node, what, "want KEY: VALUE, not "+kindOf(node))
		return
	}
	seen := make(map[string]int)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			r.wrong(key, what, "want a name before the colon, not "+kindOf(key))
			continue
		}
		if first, twice := seen[key.Value]; twice {
			r.wrong(key, key.Value, fmt.Sprintf("stands here and in line %d: want it once", first))
			continue
		}
		seen[key.Value] = key.Line
		each(key, value)
	}
}

// setting reads one setting. others are names that may stand there too, for the search
// after a misspelled one.
func (r *fileReader) setting(settings []setting, section string, key, node *yaml.Node, others ...string) (given layer) {
	s := find(settings, key.Value)
	if s == nil {
		names := others
		for _, s := range settings {
			names = append(names, s.name)
		}
		r.unknown(key, section, names)
		return nil
	}
	nodes := []*yaml.Node{node}
	if s.repeatable && node.Kind == yaml.SequenceNode {
		nodes = node.Content
	}
	for _, node := range nodes {
		if text, ok := r.text(node, s.name); ok {
			given = append(given, value{s.name, text, r.at(node, s.name)})
		}
	}
	return given
}

// unknown says that there is no such key.
func (r *fileReader) unknown(key *yaml.Node, section string, names []string) {
	problem := "no such setting"
	if section != "" {
		problem += " in " + section
	}
	if near := nearest(key.Value, names); near != "" {
		problem += ": did you mean " + near + "?"
	} else {
		problem += ": see sockmux --help"
	}
	r.wrong(key, key.Value, problem)
}

// text returns the text of a node that must be a single value.
func (r *fileReader) text(node *yaml.Node, what string) (string, bool) {
	switch {
	case node.Kind != yaml.ScalarNode:
		r.wrong(node, what, "want one value, not "+kindOf(node))
		return "", false
	case strings.TrimSpace(node.Value) == "":
		r.wrong(node, what, "needs a value")
		return "", false
	}
	return node.Value, true
}

// policy reads one policy.
func (r *fileReader) policy(key, node *yaml.Node) policyText {
	p := policyText{name: key.Value, source: r.at(key, "")}
	what := policiesSection + "." + key.Value
	if !policyName.MatchString(key.Value) {
		r.wrong(key, what, "is not a policy name: want 1 to 64 letters, digits and -._")
	}
	r.mapping(node, what, func(key, node *yaml.Node) {
		switch key.Value {
		case "rules":
			p.hasRules = true
			p.rules = r.rules(node, what+".rules")
		case listenSection:
			p.hasListen = true
			nodes := []*yaml.Node{node}
			if node.Kind == yaml.SequenceNode {
				nodes = node.Content
			}
			for _, node := range nodes {
				if text, ok := r.text(node, what+"."+listenSection); ok {
					p.listen = append(p.listen, ruleText{true, text, r.at(node, what+"."+listenSection)})
				}
			}
		case limitsSection:
			names := limitsOf(new(limit.Limits)) // where the values go is decided when all settings are known
			r.mapping(node, what+"."+limitsSection, func(key, node *yaml.Node) {
				p.limits = append(p.limits, r.setting(names, what+"."+limitsSection, key, node)...)
			})
		default:
			r.unknown(key, what, []string{"rules", listenSection, limitsSection})
		}
	})
	return p
}

// policyName is what credentials can name and logs can show.
var policyName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// rules reads a list of rules, each "allow: TARGET" or "deny: TARGET", or a list of targets.
func (r *fileReader) rules(node *yaml.Node, what string) (rules []ruleText) {
	if isNull(node) {
		return nil
	}
	if node.Kind != yaml.SequenceNode {
		r.wrong(node, what, `want a list of rules such as "- allow: HOST:PORT", not `+kindOf(node))
		return nil
	}
	for _, item := range node.Content {
		if item.Kind != yaml.MappingNode || len(item.Content) != 2 {
			r.wrong(item, what, `want "- allow: TARGET" or "- deny: TARGET"`)
			continue
		}
		key, targets := item.Content[0], item.Content[1]
		if key.Value != "allow" && key.Value != "deny" {
			r.wrong(key, what, fmt.Sprintf(`%q is not a verdict: want "- allow: TARGET" or "- deny: TARGET"`, key.Value))
			continue
		}
		nodes := []*yaml.Node{targets}
		if targets.Kind == yaml.SequenceNode {
			nodes = targets.Content
		}
		for _, node := range nodes {
			if text, ok := r.text(node, key.Value); ok {
				rules = append(rules, ruleText{key.Value == "allow", text, r.at(node, key.Value)})
			}
		}
	}
	return rules
}

// isNull tells a key without a value. The word null is one: pages without an origin have it.
func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.Value == ""
}

func kindOf(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a section"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	default:
		return "a single value"
	}
}
