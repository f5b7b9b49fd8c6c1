// Package config turns flags, the environment and a file into one checked Config.
//
// Every setting is known by one name. A source of values (a layer) gives texts for names;
// the strongest layer that names a setting decides it alone: flags, then the environment,
// then the file, then the defaults. All mistakes are reported at once, each with the
// place where it was written, the value, and what would be right.
package config

import (
	"log/slog"
	"time"

	"github.com/sockmux/sockmux/server/gateway/origin"
	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/server/relay/resolver"
	"github.com/sockmux/sockmux/server/session/limit"
)

// EnvPrefix begins the name of every environment variable: --dial-timeout is SOCKMUX_DIAL_TIMEOUT.
const EnvPrefix = "SOCKMUX_"

// Config is everything that an operator can set. Load gives only checked ones; nothing
// changes a Config afterwards.
type Config struct {
	Mode Mode

	File  string // that was read, as --config names it; empty: none
	Empty bool   // the file holds neither a setting nor a policy

	// Where the server listens.
	Listen string // HOST:PORT for net.Listen
	Prefix string // path below which everything is served; begins and ends with "/"
	Listener

	// Who may connect.
	AllowOrigins   []origin.Pattern // beside the server's own origin
	InsecureNoAuth bool             // the word for listening beyond loopback without authentication
	Access

	// What may be reached.
	Rules []policy.Rule // of the policy DefaultPolicy, in the order in which they were given
	// AllowListen is what the clients of DefaultPolicy may listen on.
	AllowListen policy.ListenRules
	Policies    map[string]Policy // by name; DefaultPolicy is always there
	Demo        bool              // run the demo services and allow their addresses
	Egress

	// How much, how long.
	MaxSessions       int           // in all, detached ones included
	MaxParked         int           // sessions without a connection; 0: MaxSessions. Detached has the number
	MaxUnacknowledged int           // bytes that are kept of one session until the page has acknowledged them
	MaxMemory         int64         // bytes that all sessions together may hold; 0: as memory.Budget says
	Keepalive         time.Duration // between pings on a silent connection; it is dead after twice this time
	Grace             time.Duration // for which a session without a connection is kept; 0: never
	DrainDelay        time.Duration // between SIGTERM and the drain: /readyz says 503, and new sessions are taken
	DrainTimeout      time.Duration // between the beginning of the drain and the end of the streams that are left
	// HandshakeTimeout is for a request's header, and for a page's first message.
	HandshakeTimeout time.Duration
	// Limits are what one client may have unless its policy says otherwise.
	Limits limit.Limits

	// What is said.
	LogLevel  slog.Level
	LogFormat LogFormat
	Tracing   Tracing

	// What is served.
	AssetsDir string // folder in place of the embedded files; empty: embedded
	WebR      string // folder served at PREFIX/webr/; empty: none
	Yamux     bool   // serve clients of plain yamux at PREFIX/v1/yamux
	Posix     bool   // serve programs with Emscripten's full POSIX sockets at PREFIX/v1/posix

	// Warnings are for the log: what looks like a mistake and is no reason not to start.
	Warnings []string
}

// Detached returns how many sessions may be without a connection.
func (c *Config) Detached() int {
	if c.MaxParked == 0 {
		return c.MaxSessions
	}
	return c.MaxParked
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
		Listen:            "127.0.0.1:8088",
		Prefix:            "/",
		MaxSessions:       1000,
		MaxUnacknowledged: 64 << 20,
		Keepalive:         10 * time.Second,
		Grace:             2 * time.Minute,
		DrainTimeout:      30 * time.Second,
		HandshakeTimeout:  10 * time.Second,
		Limits: limit.Limits{
			Streams:     1024,
			Listeners:   16,
			StreamIdle:  2 * time.Hour,
			DialTimeout: 30 * time.Second,
		},
		Egress:    Egress{DNSMinTTL: resolver.DefaultMinTTL, DNSMaxTTL: resolver.DefaultMaxTTL},
		LogLevel:  slog.LevelInfo,
		LogFormat: LogAuto,
		Tracing:   Tracing{Sample: 1},
	}
}

// Load reads the arguments (without the command's name) and the environment ("NAME=value"
// each, as os.Environ gives it). The error joins one *Error for each mistake.
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
	file, policies, unread := readFile(settings, flags, env)
	empty := len(file) == 0 && len(policies) == 0
	mistakes = append(mistakes, unread...)
	mistakes = append(mistakes, apply(settings, flags, env, file)...)
	if !flags.has(perClient) && !env.has(perClient) && !file.has(perClient) {
		c.Limits.Sessions = c.sessionsPerClient()
	}
	mistakes = append(mistakes, c.addPolicies(policies, flags, env, file)...)
	c.Empty = c.File != "" && empty
	if len(mistakes) == 0 {
		mistakes = c.check(place(flags, env, file))
	}
	if len(mistakes) > 0 {
		return nil, joined(mistakes)
	}
	return &c, nil
}
