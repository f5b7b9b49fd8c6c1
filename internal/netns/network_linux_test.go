package netns_test

import (
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockmux/sockmux/internal/netns"
	"github.com/sockmux/sockmux/internal/test/namespace"
)

// interfaces returns the names of those in the network of the calling thread.
func interfaces(network *netns.Network) (names []string, err error) {
	err = network.Do(func() error {
		all, err := net.Interfaces()
		for _, i := range all {
			if i.Flags&net.FlagUp != 0 {
				names = append(names, i.Name)
			}
		}
		return err
	})
	return names, err
}

func TestNetworksAreApart(t *testing.T) {
	namespace.Run(t, func(t *testing.T) {
		var networks [2]*netns.Network
		for i := range networks {
			n, err := netns.New()
			if err != nil {
				t.Fatal(err)
			}
			defer n.Close()
			networks[i] = n
		}
		err := networks[0].Do(func() error {
			fd, err := netns.Open("one0", netip.MustParsePrefix("10.9.0.1/24"), 0)
			if err == nil {
				t.Cleanup(func() { unix.Close(fd) })
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{"lo one0", "lo"} {
			names, err := interfaces(networks[i])
			if got := strings.Join(names, " "); err != nil || got != want {
				t.Errorf("network %d has %q, want %q: %v", i, got, want, err)
			}
		}
	})
}

func TestEnter(t *testing.T) {
	namespace.Run(t, func(t *testing.T) {
		n, err := netns.New()
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		want, err := os.Readlink(n.Path())
		if err != nil {
			t.Fatal(err)
		}
		entered := make(chan error)
		var got string
		go func() {
			runtime.LockOSThread() // and never unlocked
			err := netns.Enter(n.Path())
			if err == nil {
				got, err = os.Readlink("/proc/thread-self/ns/net")
			}
			entered <- err
		}()
		if err := <-entered; err != nil || got != want {
			t.Errorf("in %q, want %q: %v", got, want, err)
		}
		if err := netns.Enter("/proc/self/ns/none"); err == nil {
			t.Error("entered a network that is not there")
		}
	})
}
