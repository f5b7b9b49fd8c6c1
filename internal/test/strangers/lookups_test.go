package strangers_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/wire"
)

// dnsOf starts a DNS server that answers questions for known.test with 127.0.0.1 and no others.
// asked gets a value for one of the others.
func dnsOf(t *testing.T, asked chan<- struct{}) (address string) {
	t.Helper()
	unknown := func(string) {
		select {
		case asked <- struct{}{}:
		default:
		}
	}
	return product.DNS{Zone: product.Zone{"known.test.": {"A 127.0.0.1"}}, Unknown: unknown}.Serve(t, "127.0.0.1:0")
}

// One session whose names no server answers leaves lookups for others, however few descriptors
// there are.
func TestLookupsOfOneSessionLeaveOthers(t *testing.T) {
	const lookups = 100
	asked := make(chan struct{}, 1)
	server := product.Options{Files: 300}.Start(t, "--allow", "127.0.0.1", "--dns", dnsOf(t, asked))
	echo := product.Echo(t)
	hog := server.Dial(t, newSource(t, hostile).client(server))
	for i := range lookups {
		if _, err := hog.Open(wire.Request{Kind: wire.TCP, Host: wire.ParseHost(fmt.Sprintf("name%d.test", i)), Port: 80}); err != nil {
			t.Fatal(err)
		}
	}
	<-asked
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stream, err := server.Dial(t, newSource(t, honest).client(server)).Open(wire.Request{Kind: wire.TCP, Host: wire.ParseHost("known.test"), Port: echo.Port()})
	if err != nil {
		t.Fatal(err)
	}
	result, err := stream.Result(ctx)
	if err == nil {
		err = result.Err()
	}
	if err != nil {
		t.Errorf("a neighbor's name: %v", err)
	}
}
