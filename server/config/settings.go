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

// setting is one thing that an operator can set. This table is the only place that knows all of them: parsing, help, --print-config and the
// table in docs/OPERATIONS.md come from it.
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
	groupListen  = "Where it listens"
	groupPages   = "Which pages may connect"
	groupAccess  = "Who may connect"
	groupTargets = "What may be reached"
	groupEgress  = "How targets are reached"
	groupArrival = "How connections arrive"
	groupLimits  = "How much, how long"
	groupServe   = "What it serves"
	groupLogs    = "What it says"
	groupAdmin   = "Where operators look"
	groupCommand = "Instead of serving"
)

// Bounds of the numbers. They are wide: they only catch slips such as a missing unit.
const (
	mostSessions = 1_000_000 // far beyond the file descriptors of one process
	mostStreams  = 65_536    // yamux stream ids would last, memory would not
	mostOpens    = 1_000_000 // a second
	mostBytes    = 1 << 50   // a day at 100 Gbit/s
	shortest     = 100 * time.Millisecond
	longest      = 24 * time.Hour // also fits the protocol's u32 milliseconds
	longestDial  = 10 * time.Minute
	// A browser answers no script during a long task, so shorter keepalives would cut healthy pages (docs/PROTOCOL.md, 3.5).
	shortestKeepalive = time.Second
	// Proxies cut connections that are silent for a minute (nginx: proxy_read_timeout).
	longestKeepalive = 5 * time.Minute
	// Below two messages of the link a session would wait for every acknowledgement; beyond the most, one page could take a server's memory.
	leastUnacknowledged = 2 << 20
	mostUnacknowledged  = 256 << 20
	// Below it a handful of sessions would slow each other down.
	leastMemory = 32 << 20
)

// settingsOf binds the table to the Config that it fills. --deny stands before --allow because the environment has no order of its own: there a
// prohibition comes before every permission.
func settingsOf(c *Config) []setting {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	formats := map[string]LogFormat{"auto": LogAuto, "text": LogText, "json": LogJSON}
	nothing := func(string) error { return nil } // Load looks only whether it was given
	settings := []setting{
		{
			group: groupListen, name: "config", hint: "FILE", noFile: true,
			help:  "YAML file with settings by these names and with policies; flags and variables are stronger; read anew when it changes and at SIGHUP",
			parse: text(&c.File),
		},
		{
			group: groupListen, name: "listen", hint: "HOST:PORT",
			help:  "address to listen on; port 0 takes a free one",
			parse: listenAddress(&c.Listen), print: one(&c.Listen),
		},
		{
			group: groupListen, name: "prefix", hint: "PATH",
			help:  "path below which everything is served, such as /sockmux/ behind a proxy",
			parse: pathPrefix(&c.Prefix), print: one(&c.Prefix),
		},
		{
			group: groupListen, name: "insecure-no-auth",
			help:  "listen beyond loopback though nobody authenticates: whoever reaches the port may use it",
			parse: boolean(&c.InsecureNoAuth), print: printed(&c.InsecureNoAuth, strconv.FormatBool),
		},
		{
			group: groupPages, name: "allow-origin", hint: "ORIGIN", repeatable: true, live: true,
			help:  "pages that may connect beside the server's own: https://app.example.com, https://*.example.com, http://localhost:*, null or *",
			parse: each(&c.AllowOrigins, origin.Parse), print: all(&c.AllowOrigins, origin.Pattern.String),
		},
		{
			group: groupTargets, name: "deny", hint: "TARGET", repeatable: true, live: true,
			help:  "targets that may not be reached; of all --allow and --deny the first that matches decides",
			parse: c.rule(false),
		},
		{
			group: groupTargets, name: "allow", hint: "TARGET", repeatable: true, live: true,
			help:  "targets that may be reached beside the public internet: HOST:PORT, *.example.com:443, 10.0.0.0/8:5432-5433, [fd00::]/8, public",
			parse: c.rule(true),
		},
		{
			group: groupTargets, name: "demo",
			help:  "run small services on free ports of 127.0.0.1 for the playground, and allow them after all other rules",
			parse: boolean(&c.Demo), print: printed(&c.Demo, strconv.FormatBool),
		},
		{
			group: groupLimits, name: "max-sessions", hint: "NUMBER", live: true,
			help:  "sessions (pages) at once",
			parse: integer(&c.MaxSessions, 1, mostSessions), print: printed(&c.MaxSessions, strconv.Itoa),
		},
		{
			group: groupLimits, name: "max-parked", hint: "NUMBER", live: true,
			help:  "sessions at once that have lost their connection and may come back; 0: as many as --max-sessions",
			parse: integer(&c.MaxParked, 0, mostSessions), print: printed(&c.MaxParked, strconv.Itoa),
		},
		{
			group: groupLimits, name: "max-unacknowledged", hint: "BYTES",
			help:  "kept of one session for a page that has not acknowledged them yet: what a lost connection had under way, and the most that is under way",
			parse: integer(&c.MaxUnacknowledged, leastUnacknowledged, mostUnacknowledged), print: printed(&c.MaxUnacknowledged, strconv.Itoa),
		},
		{
			group: groupLimits, name: "max-memory", hint: "SIZE",
			help:  "that all sessions together may hold of what targets and pages have not taken yet; who holds most gets no more first; 0: half of what the machine or the control group has",
			parse: size(&c.MaxMemory, leastMemory, mostBytes), print: printed(&c.MaxMemory, briefSize),
		},
		{
			group: groupLimits, name: "keepalive", hint: "TIME",
			help:  "between pings on a silent connection; after twice this time without an answer it is dead",
			parse: duration(&c.Keepalive, shortestKeepalive, longestKeepalive, ""), print: printed(&c.Keepalive, brief),
		},
		{
			group: groupLimits, name: "grace", hint: "TIME",
			help:  "for which a session without a connection is kept; 0: not at all",
			parse: duration(&c.Grace, shortest, longest, "not at all"), print: printed(&c.Grace, brief),
		},
		{
			group: groupLimits, name: "drain-delay", hint: "TIME",
			help:  "after SIGTERM or SIGINT, readyz says 503 for this time before the drain begins, and new sessions are accepted; set it behind a load balancer",
			parse: duration(&c.DrainDelay, shortest, longest, "none"), print: printed(&c.DrainDelay, brief),
		},
		{
			group: groupLimits, name: "drain-timeout", hint: "TIME",
			help:  "left to open sockets when the drain begins; 0: none; a second signal ends at once",
			parse: duration(&c.DrainTimeout, shortest, longest, "none"), print: printed(&c.DrainTimeout, brief),
		},
		{
			group: groupLimits, name: "handshake-timeout", hint: "TIME",
			help:  "for a request's header, and for a page's first message",
			parse: duration(&c.HandshakeTimeout, shortest, longestDial, ""), print: printed(&c.HandshakeTimeout, brief),
		},
		{
			group: groupServe, name: "webr", hint: "DIR",
			help:  "folder with webR's files (dist of the npm package webr), served at PREFIX/webr/ for the playground",
			parse: text(&c.WebR), print: one(&c.WebR),
		},
		{
			group: groupServe, name: "assets-dir", hint: "DIR",
			help:  "folder with the built script and playground in place of the embedded ones, read anew at every request; for development",
			parse: text(&c.AssetsDir), print: one(&c.AssetsDir),
		},
		{
			group: groupLogs, name: "log-level", hint: "LEVEL",
			help:  "debug, info, warn or error",
			parse: oneOf(&c.LogLevel, []string{"debug", "info", "warn", "error"}, levels), print: printed(&c.LogLevel, lowerLevel),
		},
		{
			group: groupLogs, name: "log-format", hint: "FORMAT",
			help:  "text, json, or auto: text on a terminal, json elsewhere",
			parse: oneOf(&c.LogFormat, []string{"auto", "text", "json"}, formats),
			print: printed(&c.LogFormat, func(f LogFormat) string { return string(f) }),
		},
		{group: groupCommand, name: "check-config", flagOnly: true, help: "check flags, environment and file, say what is wrong, and end", parse: nothing},
		{group: groupCommand, name: "print-config", flagOnly: true, help: "print every setting in force as a file for --config, without secrets, and end", parse: nothing},
		{group: groupCommand, name: "version", flagOnly: true, help: "print the version and end", parse: nothing},
		{group: groupCommand, name: "help", short: "h", flagOnly: true, help: "print this and end", parse: nothing},
	}
	at := slices.IndexFunc(settings, func(s setting) bool { return s.name == "keepalive" })
	settings = slices.Insert(settings, at, limitsOf(&c.Limits)...)
	at = slices.IndexFunc(settings, func(s setting) bool { return s.group == groupTargets })
	settings = slices.Insert(settings, at, accessOf(&c.Access)...)
	at = slices.IndexFunc(settings, func(s setting) bool { return s.group == groupLimits })
	settings = slices.Insert(settings, at, slices.Concat(egressOf(&c.Egress), arrivalOf(&c.Arrival), tracingOf(&c.Tracing))...)
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

// rule makes the parser of --allow and --deny, which fill one list in the order of the command line.
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
