package config

import (
	"errors"
	"strings"

	"github.com/spf13/pflag"
)

// value is one text that was given for a setting.
type value struct {
	name, text string
	source     string // where it was written, for messages
}

// layer holds the values of one source, in the order in which they were written.
type layer []value

func (l layer) has(name string) bool { return l.source(name) != "" }

// source says where the layer names the setting, or "".
func (l layer) source(name string) string {
	for _, v := range l {
		if v.name == name {
			return v.source
		}
	}
	return ""
}

// apply hands every setting the values of the strongest layer that names it. layers are
// given strongest first. Values of one layer are parsed in their order, whatever their
// names, because --allow and --deny make one list.
func apply(settings []setting, layers ...layer) (mistakes []*Error) {
	parse := make(map[string]parser, len(settings))
	for _, s := range settings {
		parse[s.name] = s.parse
	}
	decided := make(map[string]bool)
	for _, l := range layers {
		for _, v := range l {
			if decided[v.name] || parse[v.name] == nil {
				continue
			}
			if err := parse[v.name](v.text); err != nil {
				mistakes = append(mistakes, &Error{v.source, err.Error()})
			}
		}
		for _, v := range l {
			decided[v.name] = true
		}
	}
	return mistakes
}

// place returns a function that says where a setting got its value, for mistakes that
// only show when all is read.
func place(layers ...layer) func(name string) string {
	return func(name string) string {
		for _, l := range layers {
			if source := l.source(name); source != "" {
				return source
			}
		}
		return "--" + name
	}
}

// recorder is the pflag.Value of every flag: it only writes down what was given, so that
// flags are read like any other layer.
type recorder struct {
	setting *setting
	to      *layer
}

func (r recorder) Set(text string) error {
	*r.to = append(*r.to, value{r.setting.name, text, "--" + r.setting.name})
	return nil
}
func (r recorder) String() string { return "" }
func (r recorder) Type() string   { return r.setting.hint }

// parseFlags reads the command line.
func parseFlags(settings []setting, args []string) (given layer, mistakes []*Error) {
	flags := pflag.NewFlagSet("sockmux", pflag.ContinueOnError)
	flags.SetNormalizeFunc(nil)
	names := make([]string, len(settings))
	for i := range settings {
		s := &settings[i]
		names[i] = s.name
		flag := flags.VarPF(recorder{s, &given}, s.name, s.short, "")
		if s.hint == "" {
			flag.NoOptDefVal = "true"
		}
	}
	if err := flags.Parse(args); err != nil {
		return given, []*Error{flagError(err, settings, names)}
	}
	if flags.NArg() > 0 {
		mistakes = append(mistakes, &Error{flags.Arg(0), "not expected: settings are flags, see sockmux --help"})
	}
	return given, mistakes
}

// flagError says in our words what pflag found.
func flagError(err error, settings []setting, names []string) *Error {
	var unknown *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	switch {
	case errors.As(err, &unknown):
		name := unknown.GetSpecifiedName()
		if unknown.GetSpecifiedShortnames() != "" {
			return &Error{"-" + name, "no such flag: see sockmux --help"}
		}
		if near := nearest(name, names); near != "" {
			return &Error{"--" + name, "no such flag: did you mean --" + near + "?"}
		}
		return &Error{"--" + name, "no such flag: see sockmux --help"}
	case errors.As(err, &bare):
		for _, s := range settings {
			if s.name == bare.GetFlag().Name {
				return &Error{"--" + s.name, "needs a value: --" + s.name + " " + s.hint}
			}
		}
	}
	return &Error{"sockmux", err.Error()}
}

// parseEnvironment reads the variables that begin with EnvPrefix. An empty one counts as
// not set. A list's items are separated by commas.
func parseEnvironment(settings []setting, environment []string) (given layer, warnings []string) {
	values := make(map[string]string)
	for _, line := range environment {
		name, text, _ := strings.Cut(line, "=")
		if strings.HasPrefix(name, EnvPrefix) {
			values[name] = text
		}
	}
	var known []string
	for _, s := range settings {
		if s.flagOnly {
			continue
		}
		variable := variableOf(s.name)
		known = append(known, strings.TrimPrefix(variable, EnvPrefix))
		items := []string{values[variable]}
		delete(values, variable)
		if s.repeatable {
			items = strings.Split(items[0], ",")
		}
		for _, item := range items {
			if item = strings.TrimSpace(item); item != "" {
				given = append(given, value{s.name, item, variable})
			}
		}
	}
	return given, unknownVariables(values, known)
}

// variableOf gives the environment variable of a flag.
func variableOf(name string) string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}
