package gateway

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/gateway/origin"
)

// ask returns what the check route says to a page.
func ask(t *testing.T, url, page, attempt string) checkAnswer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http"+strings.TrimPrefix(url, "ws")+"/v1/check?attempt="+attempt, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", page)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := response.Header.Get("Access-Control-Allow-Origin"); got != "*" {
		t.Errorf("Access-Control-Allow-Origin: %q", got)
	}
	if got := response.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control: %q", got)
	}
	var said checkAnswer
	if err := json.NewDecoder(response.Body).Decode(&said); err != nil {
		t.Fatal(err)
	}
	return said
}

func TestCheck(t *testing.T) {
	var patterns []origin.Pattern
	for _, text := range []string{"https://page.example"} {
		p, err := origin.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		patterns = append(patterns, p)
	}
	g := newGateway(t, func(c *Config) { c.AllowOrigins = patterns })
	url := serve(t, g)
	if said := ask(t, url, "https://stranger.example", "one"); said.Allowed || said.Origin != "https://stranger.example" || said.Refused != nil {
		t.Errorf("a stranger is told %+v", said)
	}
	if said := ask(t, url, "https://page.example", "one"); !said.Allowed || said.Refused != nil {
		t.Errorf("a page that may connect is told %+v", said)
	}
	// What a proxy makes of the upgrade: no subprotocol, then no upgrade at all.
	if _, response, err := dial(t, url+"/v1/connect?attempt=one", "https://page.example"); err == nil {
		t.Fatalf("the upgrade was taken: %v", response)
	}
	said := ask(t, url, "https://page.example", "one")
	if said.Refused == nil || said.Refused.Status != http.StatusBadRequest || !strings.Contains(said.Refused.Text, "Sec-WebSocket-Protocol") {
		t.Errorf("after a dropped subprotocol: %+v", said.Refused)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http"+strings.TrimPrefix(url, "ws")+"/v1/connect?attempt=two", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", "https://page.example")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	said = ask(t, url, "https://page.example", "two")
	if said.Refused == nil || said.Refused.Status != http.StatusUpgradeRequired || !strings.Contains(said.Refused.Text, "Upgrade and Connection") {
		t.Errorf("after a stripped upgrade: %+v", said.Refused)
	}
	for _, attempt := range []string{"", "three"} {
		if said := ask(t, url, "https://page.example", attempt); said.Refused != nil {
			t.Errorf("of the attempt %q is told %+v", attempt, said.Refused)
		}
	}
	// The page's own server: the browser sends no Origin, so the script says it.
	if w := get(g, "/v1/check?origin=https://page.example"); !strings.Contains(w.Body.String(), `"allowed":true`) {
		t.Errorf("answer: %s", w.Body)
	}
}

func TestRefusals(t *testing.T) {
	add := func(kept *refusals, attempt, text string, at time.Time) {
		kept.add(httptest.NewRequest(http.MethodGet, "/v1/connect?attempt="+attempt, nil), refusal(ReasonHandshake, 400, text), at)
	}
	var kept refusals
	now := time.Unix(1, 0)
	add(&kept, "a", "of a", now)
	add(&kept, "", "of none", now)
	add(&kept, strings.Repeat("x", maxAttempt+1), "too long", now)
	for _, c := range []struct {
		attempt string
		after   time.Duration
		text    string
	}{{"a", time.Second, "of a"}, {"a", time.Minute, ""}, {"b", time.Second, ""}, {"", time.Second, ""}, {strings.Repeat("x", maxAttempt+1), 0, ""}} {
		found := kept.find(c.attempt, now.Add(c.after))
		if (found == nil) != (c.text == "") || found != nil && found.Text != c.text {
			t.Errorf("%q after %s: %+v, want %q", c.attempt, c.after, found, c.text)
		}
	}
	for range refusalsKept {
		add(&kept, "flood", "", now)
	}
	if found := kept.find("a", now); found != nil {
		t.Errorf("after a flood: %+v", found)
	}
}
