package config

import (
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/sockmux/sockmux/server/gateway/origin"
	"github.com/sockmux/sockmux/server/relay/policy"
)

// setting is one thing that an operator can set. A new flag is one element of the lists that
// settingsOf joins. Parsing, help, --print-config, completion and the table of
// docs/OPERATIONS.md come from them.
type setting struct {
	group      string // heading of the help
	name       string // of the flag
	short      string // one letter, or empty
	hint       string // stands for the value in the help; empty: a flag without a value
	help       string
	initial    string // default as shown; empty where it is "off" or "none"
	repeatable bool
	flagOnly   bool   // what the command does is not said by the environment or the file
	noFile     bool   // the file cannot name itself
	section    string // of the file; empty: the top level
	live       bool   // a reload applies it; others wait for a restart
	parse      parser
	print      func() []string // the present values, as the parser takes them; nil for what --print-config leaves out
}

// The headings of the help.
const (
	groupListen   = "Listening"
	groupPages    = "Allowed pages"
	groupAccess   = "Authentication"
	groupTargets  = "Allowed targets"
	groupEgress   = "Names and egress"
	groupListener = "TLS and proxies"
	groupLimits   = "Limits"
	groupServe    = "Served files"
	groupLogs     = "Logging"
	groupAdmin    = "Administration and tracing"
	groupCommand  = "Actions in place of serving"
)

// Bounds of the numbers. They are wide: they only catch slips such as a missing unit.
const (
	maxSessions = 1_000_000 // far beyond the file descriptors of one process
	maxStreams  = 65_536    // yamux stream ids would last, memory would not
	maxOpens    = 1_000_000 // a second
	maxBytes    = 1 << 50   // a day at 100 Gbit/s
	minTime     = 100 * time.Millisecond
	maxTime     = 24 * time.Hour // also fits the protocol's u32 milliseconds
	maxDial     = 10 * time.Minute
	// A browser answers no script during a long task, so shorter keepalives would cut
	// healthy pages (docs/PROTOCOL.md, 3.5).
	minKeepalive = time.Second
	// Proxies cut connections that are silent for a minute (nginx: proxy_read_timeout).
	maxKeepalive = 5 * time.Minute
	// Below two messages of the link a session would wait for every acknowledgement;
	// beyond the most, one page could take a server's memory.
	minUnacknowledged = 2 << 20
	maxUnacknowledged = 256 << 20
	// Below it a handful of sessions would slow each other down.
	minMemory = 32 << 20
)

// settingsOf binds the table to the Config that it fills. --deny stands before --allow
// because the environment has no order of its own: there a prohibition comes before every
// permission.
func settingsOf(c *Config) []setting {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	formats := map[string]LogFormat{"auto": LogAuto, "text": LogText, "json": LogJSON}
	nothing := func(string) error { return nil } // Load looks only whether it was given
	settings := []setting{
		{
			group: groupListen, name: "config", hint: "FILE", noFile: true,
			help:  "YAML file with settings and policies. Flags and variables override it. The server reads it again when it changes and on SIGHUP.",
			parse: text(&c.File),
		},
		{
			group: groupListen, name: "listen", hint: "HOST:PORT",
			help:  "Address to listen on. Port 0 chooses a free port.",
			parse: listenAddress(&c.Listen), print: one(&c.Listen),
		},
		{
			group: groupListen, name: "prefix", hint: "PATH",
			help:  "URL path under which everything is served, such as /sockmux/ behind a proxy.",
			parse: pathPrefix(&c.Prefix), print: one(&c.Prefix),
		},
		{
			group: groupListen, name: "insecure-no-auth",
			help:  "Allow --listen beyond loopback without authentication. Any client that reaches the port may then use the server.",
			parse: boolean(&c.InsecureNoAuth), print: printed(&c.InsecureNoAuth, strconv.FormatBool),
		},
		{
			group: groupPages, name: "allow-origin", hint: "ORIGIN", repeatable: true, live: true,
			help:  "Origin of pages that may connect, besides the server's own: https://app.example.com, https://*.example.com, http://localhost:*, null or *.",
			parse: each(&c.AllowOrigins, origin.Parse), print: all(&c.AllowOrigins, origin.Pattern.String),
		},
		{
			group: groupTargets, name: "deny", hint: "TARGET", repeatable: true, live: true,
			help:  "Target that clients may not reach. The first rule that matches, of all --allow and --deny, decides.",
			parse: c.rule(false),
		},
		{
			group: groupTargets, name: "allow", hint: "TARGET", repeatable: true, live: true,
			help:  "Target that clients may reach, besides the public internet: HOST:PORT, *.example.com:443, 10.0.0.0/8:5432-5433, [fd00::]/8, public.",
			parse: c.rule(true),
		},
		{
			group: groupTargets, name: "allow-listen", hint: "ADDRESS:PORT", repeatable: true, live: true,
			help:  "Address and ports that clients may listen on: 127.0.0.1:8000-8999, [::1]:8080, *:80 for every address. Any host that reaches them may connect, or send datagrams. With tcp:// or udp:// in front it is for one of both. Without it, clients cannot listen.",
			parse: each((*[]policy.ListenRule)(&c.AllowListen), policy.ParseListenRule), // printed as a policy's
		},
		{
			group: groupTargets, name: "demo",
			help:  "Run small demo services on free ports of 127.0.0.1 for the playground. A last rule allows them.",
			parse: boolean(&c.Demo), print: printed(&c.Demo, strconv.FormatBool),
		},
		{
			group: groupLimits, name: "max-sessions", hint: "NUMBER", live: true,
			help:  "Maximum number of sessions.",
			parse: integer(&c.MaxSessions, 1, maxSessions), print: printed(&c.MaxSessions, strconv.Itoa),
		},
		{
			group: groupLimits, name: "max-parked", hint: "NUMBER", live: true,
			help:  "Maximum number of detached sessions: those that lost their connection and may resume. 0 means --max-sessions.",
			parse: integer(&c.MaxParked, 0, maxSessions), print: printed(&c.MaxParked, strconv.Itoa),
		},
		{
			group: groupLimits, name: "max-unacknowledged", hint: "BYTES",
			help:  "Maximum number of bytes sent in one session that its client has not acknowledged. The server keeps them for a resume.",
			parse: integer(&c.MaxUnacknowledged, minUnacknowledged, maxUnacknowledged), print: printed(&c.MaxUnacknowledged, strconv.Itoa),
		},
		{
			group: groupLimits, name: "max-memory", hint: "SIZE",
			help:  "Memory budget of all sessions, for data that targets and clients have not taken yet. The session that holds most is limited first. 0 means half of the memory of the machine or control group.",
			parse: size(&c.MaxMemory, minMemory, maxBytes), print: printed(&c.MaxMemory, briefSize),
		},
		{
			group: groupLimits, name: "keepalive", hint: "TIME",
			help:  "Interval of pings on a silent connection. Without an answer for twice this time, the connection counts as lost.",
			parse: duration(&c.Keepalive, minKeepalive, maxKeepalive, ""), print: printed(&c.Keepalive, brief),
		},
		{
			group: groupLimits, name: "grace", hint: "TIME",
			help:  "Time for which a session without a connection can be resumed. 0 disables resuming.",
			parse: duration(&c.Grace, minTime, maxTime, "not at all"), print: printed(&c.Grace, brief),
		},
		{
			group: groupLimits, name: "drain-delay", hint: "TIME",
			help:  "Delay between SIGTERM or SIGINT and the drain. Meanwhile readyz answers 503 and new sessions are accepted. Set it behind a load balancer.",
			parse: duration(&c.DrainDelay, minTime, maxTime, "none"), print: printed(&c.DrainDelay, brief),
		},
		{
			group: groupLimits, name: "drain-timeout", hint: "TIME",
			help:  "Time left for open streams when the drain begins. 0 means none. A second signal ends the server at once.",
			parse: duration(&c.DrainTimeout, minTime, maxTime, "none"), print: printed(&c.DrainTimeout, brief),
		},
		{
			group: groupLimits, name: "handshake-timeout", hint: "TIME",
			help:  "Time limit for the header of an HTTP request and for the first message of a client.",
			parse: duration(&c.HandshakeTimeout, minTime, maxDial, ""), print: printed(&c.HandshakeTimeout, brief),
		},
		{
			group: groupServe, name: "allow-yamux",
			help:  "Serve clients of plain yamux at PREFIX/v1/yamux. Their streams end with their connection.",
			parse: boolean(&c.Yamux), print: printed(&c.Yamux, strconv.FormatBool),
		},
		{
			group: groupServe, name: "allow-posix",
			help:  "Serve programs built with Emscripten's -sPROXY_POSIX_SOCKETS at PREFIX/v1/posix. Their sockets end with their connection.",
			parse: boolean(&c.Posix), print: printed(&c.Posix, strconv.FormatBool),
		},
		{
			group: groupServe, name: "webr", hint: "DIR",
			help:  "Folder with webR, which is dist of the npm package webr. It is served at PREFIX/webr/ for the playground.",
			parse: text(&c.WebR), print: one(&c.WebR),
		},
		{
			group: groupServe, name: "assets-dir", hint: "DIR",
			help:  "Folder that replaces the embedded script and playground, for development. The server reads it at every request.",
			parse: text(&c.AssetsDir), print: one(&c.AssetsDir),
		},
		{
			group: groupLogs, name: "log-level", hint: "LEVEL",
			help:  "Minimum level of log lines: debug, info, warn or error.",
			parse: oneOf(&c.LogLevel, []string{"debug", "info", "warn", "error"}, levels), print: printed(&c.LogLevel, lowerLevel),
		},
		{
			group: groupLogs, name: "log-format", hint: "FORMAT",
			help:  "Format of log lines: text, json or auto. With auto, a terminal gets text and other outputs get JSON.",
			parse: oneOf(&c.LogFormat, []string{"auto", "text", "json"}, formats),
			print: printed(&c.LogFormat, func(f LogFormat) string { return string(f) }),
		},
		{group: groupCommand, name: "check-config", flagOnly: true, help: "Check flags, variables and file, print the mistakes, and exit.", parse: nothing},
		{group: groupCommand, name: "print-config", flagOnly: true, help: "Print all effective settings as a file for --config, without secrets, and exit.", parse: nothing},
		{group: groupCommand, name: "version", flagOnly: true, help: "Print the version and exit.", parse: nothing},
		{group: groupCommand, name: "help", short: "h", flagOnly: true, help: "Print this help and exit.", parse: nothing},
	}
	at := slices.IndexFunc(settings, func(s setting) bool { return s.name == "keepalive" })
	settings = slices.Insert(settings, at, limitsOf(&c.Limits)...)
	at = slices.IndexFunc(settings, func(s setting) bool { return s.group == groupTargets })
	settings = slices.Insert(settings, at, accessOf(&c.Access)...)
	at = slices.IndexFunc(settings, func(s setting) bool { return s.group == groupLimits })
	settings = slices.Insert(settings, at, slices.Concat(egressOf(&c.Egress), listenerOf(&c.Listener), tracingOf(&c.Tracing))...)
	for i := range settings {
		if settings[i].group == groupLimits {
			settings[i].section = limitsSection
		}
	}
	// The table is bound before anything is read, so what it prints now are the defaults.
	for i := range settings {
		s := &settings[i]
		if s.print != nil && s.hint != "" && !s.repeatable {
			s.initial = s.print()[0]
		}
	}
	return settings
}

// rule makes the parser of --allow and --deny, which fill one list in the order of the
// command line.
func (c *Config) rule(allow bool) parser {
	return func(text string) error {
		rule, err := policy.ParseRule(allow, text)
		if err != nil {
			return fmt.Errorf("%q: %w", text, err)
		}
		c.Rules = append(c.Rules, rule)
		return nil
	}
}

func lowerLevel(level slog.Level) string {
	switch level {
	case slog.LevelDebug:
		return "debug"
	case slog.LevelWarn:
		return "warn"
	case slog.LevelError:
		return "error"
	default:
		return "info"
	}
}

func one(from *string) func() []string { return func() []string { return []string{*from} } }

func printed[T any](from *T, format func(T) string) func() []string {
	return func() []string { return []string{format(*from)} }
}

func all[T any](from *[]T, format func(T) string) func() []string {
	return func() (texts []string) {
		for _, value := range *from {
			texts = append(texts, format(value))
		}
		return texts
	}
}
