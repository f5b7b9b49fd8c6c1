package interfaces

import (
	"log/slog"
	"net/netip"
)

// Own returns a function that reports whether this machine has an address. If the system does
// not list its addresses, Own returns nil and logs a warning: the addresses then count as what
// they look like, and the rest of the policy still holds.
func Own(logger *slog.Logger) func(netip.Addr) bool {
	own, err := New()
	if err != nil {
		logger.Warn("pages can reach this machine's own public addresses: they cannot be listed; allow AF_NETLINK, or deny them with --deny", "error", err)
		return nil
	}
	return own.Contains
}
