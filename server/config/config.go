// Package config turns flags and the environment into one checked Config.
//
// Every setting is known by one name. A source of values (a layer) gives texts for names; the strongest layer that names a setting decides it alone: flags,
// then the environment, then the defaults. A file is one more layer between the last two. All mistakes are reported at once, each with the place
// where it was written, the value, and what would be right.
package config

import (
	"log/slog"
	"time"

	"github.com/sockmux/sockmux/server/origin"
	"github.com/sockmux/sockmux/server/policy"
)

// EnvPrefix begins the name of every environment variable: --dial-timeout is SOCKMUX_DIAL_TIMEOUT.
const EnvPrefix = "SOCKMUX_"

// Config is everything that an operator can set. Load gives only checked ones; nothing changes a Config afterwards.
type Config struct {
	Mode Mode

	// Where the server listens.
	Listen string // HOST:PORT for net.Listen
	Prefix string // path below which everything is served; begins and ends with "/"

	// Who may connect.
	AllowOrigins   []origin.Pattern // beside the server's own origin
	InsecureNoAuth bool             // the word for listening beyond loopback though nobody authenticates

	// What may be reached.
	Rules       []policy.Rule // in the order in which they were given
	Demo        bool          // run the demo services and allow their addresses
	DialTimeout time.Duration // resolving and dialling together

	// How much, how long.
	MaxSessions  int           // in all, parked ones included
	MaxParked    int           // sessions without a connection
	MaxStreams   int           // at once in one session
	IdleTimeout  time.Duration // a stream without a byte; 0: never
	Keepalive    time.Duration // between pings on a silent connection; it is dead after twice this time
	Grace        time.Duration // for which a session without a connection is kept; 0: never
	DrainTimeout time.Duration // between SIGTERM and the end of the streams that are left

	// What is said.
	LogLevel  slog.Level
	LogFormat LogFormat

	// What is served.
	AssetsDir string // folder in place of the embedded files; empty: embedded
	WebR      string // folder served at PREFIX/webr/; empty: none

	// Warnings are for the log: what looks like a mistake and is no reason not to start.
	Warnings []string

	ruleArguments []string // Rules as they were written, for Print
}

// Mode is what the command is to do.
type Mode int

// The modes of the command.
const (
	Serve        Mode = iota
	PrintHelp         // --help
	PrintVersion      // --version
	CheckOnly         // --check-config
	PrintConfig       // --print-config
)

// LogFormat is how log lines look.
type LogFormat string

// The log formats.
const (
	LogAuto LogFormat = "auto" // text on a terminal, JSON elsewhere
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// Default returns the configuration of a server that was told nothing.
func Default() Config {
	return Config{
		Listen:       "127.0.0.1:8088",
		Prefix:       "/",
		DialTimeout:  30 * time.Second,
		MaxSessions:  1000,
		MaxParked:    500,
		MaxStreams:   1024,
		IdleTimeout:  2 * time.Hour,
		Keepalive:    10 * time.Second,
		Grace:        2 * time.Minute,
		DrainTimeout: 30 * time.Second,
		LogLevel:     slog.LevelInfo,
		LogFormat:    LogAuto,
	}
}

// Load reads the arguments (without the command's name) and the environment ("NAME=value" each, as os.Environ gives it). The error joins one *Error for
// each mistake.
func Load(args, environment []string) (*Config, error) {
	c := Default()
	settings := settingsOf(&c)
	flags, mistakes := parseFlags(settings, args)
	switch {
	case flags.has("help"):
		return &Config{Mode: PrintHelp}, nil
	case flags.has("version"):
		return &Config{Mode: PrintVersion}, nil
	case flags.has("print-config"):
		c.Mode = PrintConfig
	case flags.has("check-config"):
		c.Mode = CheckOnly
	}
	env, warnings := parseEnvironment(settings, environment)
	c.Warnings = warnings
	mistakes = append(mistakes, apply(settings, flags, env)...)
	if len(mistakes) == 0 {
		mistakes = c.check(place(flags, env))
	}
	if len(mistakes) > 0 {
		return nil, joined(mistakes)
	}
	return &c, nil
}
