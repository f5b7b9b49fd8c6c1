package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/sockmux/sockmux/server/config"
)

// completion prints a script for a shell. It is made of the same table as the help.
func completion(_ context.Context, c call) error {
	if len(c.args) != 1 {
		return misused("completion", "SHELL is missing")
	}
	var script string
	switch shell := c.args[0]; shell {
	case "bash":
		script = bashCompletion()
	case "zsh":
		script = zshCompletion()
	case "fish":
		script = fishCompletion()
	default:
		return misused("completion", "%q is not a supported shell", shell)
	}
	fmt.Fprint(c.stdout, script)
	return nil
}

// firstWords are those that may stand in place of flags.
func firstWords() (words []string) {
	seen := make(map[string]bool)
	for _, s := range subcommands() {
		word, _, _ := strings.Cut(s.name, " ")
		if !seen[word] {
			seen[word] = true
			words = append(words, word)
		}
	}
	return words
}

func bashCompletion() string {
	var flags, files []string
	for _, f := range config.Flags() {
		flags = append(flags, "--"+f.Name)
		if f.Hint == "FILE" || f.Hint == "DIR" {
			files = append(files, "--"+f.Name)
		}
	}
	return fmt.Sprintf(`# sockmux completion bash >/etc/bash_completion.d/sockmux
_sockmux() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
	case $before in
	%s) COMPREPLY=($(compgen -f -- "$word")); return ;;
	token) COMPREPLY=($(compgen -W "new hash verify" -- "$word")); return ;;
	completion) COMPREPLY=($(compgen -W "bash zsh fish" -- "$word")); return ;;
	esac
	COMPREPLY=($(compgen -W "%s" -- "$word"))
	if [ "$COMP_CWORD" -eq 1 ]; then
		COMPREPLY+=($(compgen -W "%s" -- "$word"))
	fi
}
complete -F _sockmux sockmux
`, strings.Join(files, "|"), strings.Join(flags, " "), strings.Join(firstWords(), " "))
}

func zshCompletion() string {
	var b strings.Builder
	b.WriteString("#compdef sockmux\n# sockmux completion zsh >\"${fpath[1]}/_sockmux\"\n_arguments \\\n")
	for _, f := range config.Flags() {
		repeat, action := "", ""
		if f.Repeatable {
			repeat = "*"
		}
		switch f.Hint {
		case "":
		case "FILE":
			action = ":" + f.Hint + ":_files"
		case "DIR":
			action = ":" + f.Hint + ":_directories"
		default:
			action = ":" + strings.ReplaceAll(f.Hint, ":", `\:`) + ":"
		}
		equals := ""
		if f.Hint != "" {
			equals = "="
		}
		fmt.Fprintf(&b, "\t'%s--%s%s[%s]%s' \\\n", repeat, f.Name, equals, zshText(f.Help), action)
	}
	fmt.Fprintf(&b, "\t'1::command:(%s)' \\\n\t'*::argument:_files'\n", strings.Join(firstWords(), " "))
	return b.String()
}

// zshText escapes what means something in the brackets of _arguments and within single quotes.
func zshText(text string) string {
	return strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, "'", `'\''`).Replace(text)
}

func fishCompletion() string {
	var b strings.Builder
	b.WriteString("# sockmux completion fish >~/.config/fish/completions/sockmux.fish\n")
	fmt.Fprintf(&b, "complete -c sockmux -n __fish_use_subcommand -a '%s'\n", strings.Join(firstWords(), " "))
	b.WriteString("complete -c sockmux -n '__fish_seen_subcommand_from token' -f -a 'new hash verify'\n")
	b.WriteString("complete -c sockmux -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'\n")
	for _, f := range config.Flags() {
		argument := ""
		switch f.Hint {
		case "":
		case "FILE", "DIR":
			argument = " -r"
		default:
			argument = " -x"
		}
		fmt.Fprintf(&b, "complete -c sockmux -l %s%s -d '%s'\n", f.Name, argument, strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(f.Help))
	}
	return b.String()
}
