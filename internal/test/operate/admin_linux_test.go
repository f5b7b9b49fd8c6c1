package operate_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/internal/test/namespace"
	"github.com/sockmux/sockmux/internal/test/product"
)

// The operators' listener answers no page of another site, on loopback or beyond it.
func TestAdminRefusesOtherSites(t *testing.T) {
	namespace.Run(t, func(t *testing.T) {
		namespace.AddAddress(t, netip.MustParseAddr("192.168.7.1"))
		for _, host := range []string{"127.0.0.1", "192.168.7.1"} {
			s := product.Start(t, "--admin", host+":0", "--insecure-admin")
			url := s.AdminURL()
			own := strings.TrimPrefix(url, "http://")
			for _, test := range []struct {
				path, host string
				header     []string
				want       int
			}{
				{"/status.json", own, nil, 200},
				{"/metrics", own, nil, 200},
				{"/status.json", "evil.test", nil, 403},
				{"/debug/pprof/", "evil.test:9090", nil, 403},
				{"/metrics", "evil.test", nil, 403},
				{"/status.json", own, []string{"Origin", "https://evil.test"}, 403},
				{"/status.json", own, []string{"Origin", "null"}, 403},
				{"/status.json", own, []string{"Origin", url}, 200},
			} {
				if r, body := get(t, url+test.path, test.host, test.header...); r.StatusCode != test.want {
					t.Errorf("%s: %s with Host %s %q: %s %.80q, want %d", host, test.path, test.host, test.header, r.Status, body, test.want)
				}
			}
		}
	})
}
