package tracing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
)

// collector is an http.RoundTripper that gives its answers one after the other, and the
// last one for ever.
type collector struct {
	answers []answer
	asked   []time.Time
}

type answer struct {
	status int // 0: no connection
	after  string
	body   string
}

var errNoConnection = errors.New("no connection")

func (c *collector) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	r.Body.Close()
	c.asked = append(c.asked, time.Now())
	a := c.answers[min(len(c.asked), len(c.answers))-1]
	if a.status == 0 {
		return nil, errNoConnection
	}
	header := make(http.Header)
	header.Set("Retry-After", a.after)
	return &http.Response{StatusCode: a.status, Status: fmt.Sprint(a.status), Header: header, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}

// rejectedTwo is an ExportTraceServiceResponse: partial_success { rejected_spans: 2,
// error_message: "too old" }, behind a field that is not known.
const rejectedTwo = "\x1a\x01x" + "\x0a\x0b" + "\x08\x02" + "\x12\x07too old"

func TestUpload(t *testing.T) {
	for _, test := range []struct {
		name     string
		answers  []answer
		attempts int
		more     int           // attempts, by chance
		least    time.Duration // from the first attempt to the last
		most     time.Duration
		want     string // error; empty: none
	}{
		{"at once", []answer{{status: 200}}, 1, 0, 0, 0, ""},
		{"with advice", []answer{{status: 200, body: "\x0a\x09\x12\x07slow it"}}, 1, 0, 0, 0, ""},
		{"not for good", []answer{{}, {status: 503}, {status: 200}}, 3, 0, firstPause*3/2 - time.Second/2, 3 * firstPause, ""},
		{"as the collector likes", []answer{{status: 429, after: "7"}, {status: 200}}, 2, 0, 7 * time.Second, 7 * time.Second, ""},
		{"longer than there is time", []answer{{status: 429, after: "60"}}, 1, 0, 0, 0, "the collector answers 429: "},
		{"a date is not read", []answer{{status: 502, after: "Fri, 31 Dec 1999 23:59:59 GMT"}, {status: 200}}, 2, 0, firstPause / 2, firstPause, ""},
		{"not allowed", []answer{{status: 401, body: "who are you?\n"}}, 1, 0, 0, 0, "the collector answers 401: who are you?"},
		{"some rejected", []answer{{status: 200, body: rejectedTwo}}, 1, 0, 0, 0, "the collector has rejected 2 spans: too old"},
		{"nonsense", []answer{{status: 200, body: "<html>\xff\xff\xff"}}, 1, 0, 0, 0, ""},
		{"never", []answer{{}}, 4, 1, 3 * time.Second, sendTimeout, `Post "http://otel.test": no connection`},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), sendTimeout)
				defer cancel()
				c := &collector{answers: test.answers}
				u := &upload{client: &http.Client{Transport: c}, url: "http://otel.test", ending: t.Context()}
				err := u.UploadTraces(ctx, []*otlp.ResourceSpans{{}})
				if err == nil && test.want != "" || err != nil && err.Error() != test.want {
					t.Errorf("error %v, want %s", err, test.want)
				}
				took := c.asked[len(c.asked)-1].Sub(c.asked[0])
				if n := len(c.asked); n < test.attempts || n > test.attempts+test.more || took < test.least || took > test.most {
					t.Errorf("%d attempts in %s", len(c.asked), took)
				}
			})
		})
	}
}

// At the end there is one attempt.
func TestUploadAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ending, end := context.WithCancel(t.Context())
		c := &collector{answers: []answer{{}}}
		u := &upload{client: &http.Client{Transport: c}, url: "http://otel.test", ending: ending}
		time.AfterFunc(time.Millisecond, end)
		began := time.Now()
		for range 2 {
			if err := u.UploadTraces(t.Context(), nil); !errors.Is(err, errNoConnection) {
				t.Errorf("error %v", err)
			}
		}
		if len(c.asked) != 2 || time.Since(began) != time.Millisecond {
			t.Errorf("%d attempts in %s", len(c.asked), time.Since(began))
		}
	})
}

func FuzzPartial(f *testing.F) {
	f.Add([]byte(rejectedTwo))
	f.Add([]byte("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		var some *rejected
		if err := partial(answer); err != nil && (!errors.As(err, &some) || some.spans <= 0) {
			t.Errorf("%v", err)
		}
	})
}
