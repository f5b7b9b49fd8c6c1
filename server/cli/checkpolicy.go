package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/sockmux/sockmux/server/config"
	"github.com/sockmux/sockmux/server/relay/interfaces"
	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/server/session/auth"
	"github.com/sockmux/sockmux/shared/wire"
)

func contains(list []string, word string) bool { return slices.Contains(list, word) }

// errDenied ends check-policy for a target that may not be reached; the text has been printed.
var errDenied = errors.New("denied")

// checkPolicy says rule by rule what would become of a target. Nothing is connected to; a
// name is resolved as the server would.
func checkPolicy(ctx context.Context, c call) error {
	const command = "check-policy"
	words, values, flags, err := take(command, c.args, "as", "policy")
	if err != nil {
		return err
	}
	if len(words) != 1 {
		return misused(command, "want one target")
	}
	host, port, err := parseTarget(words[0])
	if err != nil {
		return err
	}
	settings, err := config.Load(flags, c.environment)
	if err != nil {
		return usageError{err.Error()}
	}
	if settings.Mode != config.Serve {
		return misused(command, "%s: not expected", flags[0])
	}
	name, err := policyName(ctx, c, settings, values)
	if err != nil {
		return err
	}
	chosen, known := settings.Policies[name]
	if !known {
		return usageError{fmt.Sprintf("the policy %s is not configured: want one of %s", name, strings.Join(settings.PolicyNames(), ", "))}
	}
	rules := policy.New(chosen.Rules).WithOwn(interfaces.Own(slog.New(slog.NewTextHandler(c.stderr, nil))))
	fmt.Fprintf(c.stdout, "policy %s\n", name)
	if err := rules.CheckHost(host, port); err != nil && !host.Addr().IsValid() {
		// No address of the name is allowed, so the server would not even ask for them.
		fmt.Fprintf(c.stdout, "%s: no address is asked for\n", err)
		return errDenied
	}
	addrs, aliases, err := resolved(ctx, settings, host)
	if err != nil {
		return err
	}
	if len(aliases) > 0 {
		fmt.Fprintf(c.stdout, "%s is an alias of %s\n", host, strings.Join(aliases, ", "))
	}
	allowed := false
	for _, addr := range addrs {
		steps, good, verdict := rules.Trace(host, aliases, netip.AddrPortFrom(addr, port))
		allowed = allowed || good
		fmt.Fprintf(c.stdout, "%s\n", addr)
		for i, step := range steps {
			mark := " "
			if step.Decides {
				mark = ">"
			}
			fmt.Fprintf(c.stdout, "%s %2d  %-40s  %s\n", mark, i+1, step.Rule, step.Why)
		}
		fmt.Fprintf(c.stdout, "  =>  %s\n", verdict)
	}
	if !allowed {
		return errDenied
	}
	return nil
}

// policyName is the policy of a token, or the one that was named.
func policyName(ctx context.Context, c call, settings *config.Config, values map[string]string) (string, error) {
	token, as := values["as"]
	name, named := values["policy"]
	switch {
	case as && named:
		return "", misused("check-policy", "--as and --policy: choose one")
	case named:
		return name, nil
	case !as:
		return config.DefaultPolicy, nil
	case !settings.Authenticates():
		return "", usageError{"--as: the server takes no credentials: want --token-file or another flag of the group Authentication"}
	case !settings.TakesTokens():
		return "", usageError{"--as: the server takes no tokens: certificates have the policy " + config.DefaultPolicy + ", and a proxy names it in --auth-policy-header: use --policy"}
	}
	if token == "-" {
		var err error
		if token, err = readToken(c.stdin); err != nil {
			return "", err
		}
	}
	credentials, mistakes := settings.Open(settings.TrustedProxies)
	if len(mistakes) > 0 {
		return "", mistakes[0]
	}
	identity, err := credentials.Authenticator.Authenticate(ctx, auth.Credentials{Token: token})
	if err != nil {
		return "", err
	}
	fmt.Fprintf(c.stdout, "identity %s\n", describe(identity))
	if identity.Policy == "" {
		return config.DefaultPolicy, nil
	}
	return identity.Policy, nil
}

// parseTarget reads HOST:PORT.
func parseTarget(text string) (host wire.Host, port uint16, err error) {
	name, number, err := net.SplitHostPort(text)
	n, bad := strconv.ParseUint(number, 10, 16)
	if err != nil || bad != nil || n == 0 {
		return wire.Host{}, 0, usageError{fmt.Sprintf("%q is not a target: want HOST:PORT, such as db.example.org:5432 or [2001:db8::7]:443", text)}
	}
	host = wire.ParseHost(name)
	if err := policy.ValidHost(host); err != nil {
		return wire.Host{}, 0, usageError{err.Error()}
	}
	return host, uint16(n), nil
}

// resolved asks as the server would.
func resolved(ctx context.Context, settings *config.Config, host wire.Host) (addrs []netip.Addr, aliases []string, err error) {
	if addr := host.Addr(); addr.IsValid() {
		return []netip.Addr{addr}, nil, nil
	}
	names, err := settings.NewResolver(0)
	if err != nil {
		return nil, nil, err
	}
	defer names.Close()
	ctx, cancel := context.WithTimeout(ctx, settings.Limits.DialTimeout)
	defer cancel()
	answer, err := names.Lookup(ctx, "ip", host.Name())
	for i, addr := range answer.Addrs {
		answer.Addrs[i] = addr.Unmap() // as the relay does
	}
	return answer.Addrs, answer.Aliases, err
}
