package tracing

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

const (
	// firstPause is before the second attempt; each further one is twice as long, and all
	// are shared out at random, so that servers do not come together.
	firstPause = time.Second
	// maxAnswer is what is read of a collector's answer.
	maxAnswer = 64 << 10
)

// upload sends batches over OTLP/HTTP as the specification says
// (https://opentelemetry.io/docs/specs/otlp/#otlphttp). OpenTelemetry's own client for
// it, otlptracehttp, does the same, but brings gRPC along, which is 5 MB of the binary,
// and takes settings from the environment.
type upload struct {
	client  *http.Client
	url     string
	headers map[string]string
	ending  context.Context // its end allows no further attempt
}

var _ otlptrace.Client = (*upload)(nil)

// Start and Stop have nothing to do.
func (*upload) Start(context.Context) error { return nil }
func (*upload) Stop(context.Context) error  { return nil }

// UploadTraces sends one batch, in several attempts if the collector is not there or asks
// for it, until ctx ends. The error may be a rejected.
func (u *upload) UploadTraces(ctx context.Context, spans []*otlp.ResourceSpans) error {
	// A message TracesData has the bytes of the ExportTraceServiceRequest that is wanted:
	// the first field of both are these.
	message, err := proto.Marshal(&otlp.TracesData{ResourceSpans: spans})
	if err != nil {
		return fmt.Errorf("encoding: %w", err)
	}
	var body bytes.Buffer
	zip := gzip.NewWriter(&body)
	_, _ = zip.Write(message) // a Buffer takes everything
	_ = zip.Close()
	for pause := firstPause; ; pause *= 2 {
		wait, err := u.attempt(ctx, body.Bytes())
		if err == nil || wait < 0 {
			return err
		}
		timer := time.NewTimer(max(wait, pause/2+rand.N(pause/2)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-u.ending.Done():
			timer.Stop()
			return err
		}
	}
}

// attempt sends one request. With an error, wait is how long the collector wants to be
// left alone, 0 if it did not say, or negative if there is no sense in another attempt.
func (u *upload) attempt(ctx context.Context, body []byte) (wait time.Duration, err error) {
	const never = -1
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.url, bytes.NewReader(body))
	if err != nil {
		return never, fmt.Errorf("request: %w", err)
	}
	for name, value := range u.headers {
		request.Header.Set(name, value)
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	request.Header.Set("Content-Encoding", "gzip")
	response, err := u.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return never, fmt.Errorf("%s: %w", response.Status, err) // it may have the spans
	}
	switch response.StatusCode {
	case http.StatusOK:
		return never, partial(answer)
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		seconds, _ := strconv.ParseUint(response.Header.Get("Retry-After"), 10, 16) // a date is taken as nothing said
		wait = time.Duration(seconds) * time.Second
	default:
		wait = never
	}
	return wait, fmt.Errorf("the collector answers %s: %s", response.Status, strings.TrimSpace(string(answer)))
}

// rejected is the error where a collector has taken a batch but for some spans.
type rejected struct {
	spans int64
	text  string
}

func (r *rejected) Error() string {
	return fmt.Sprintf("the collector has rejected %d spans: %s", r.spans, r.text)
}

// partial reads an ExportTraceServiceResponse, for which all else would be gRPC's code:
// field 1 is a message of rejected_spans (1) and error_message (2). What is no such
// message says nothing.
func partial(answer []byte) error {
	var r rejected
	fields(answer, func(number protowire.Number, _ uint64, inside []byte) {
		if number != 1 {
			return
		}
		fields(inside, func(number protowire.Number, n uint64, text []byte) {
			switch number {
			case 1:
				r.spans = int64(n)
			case 2:
				r.text = string(text)
			}
		})
	})
	if r.spans <= 0 {
		return nil // a text alone is advice
	}
	return &r
}

// fields calls each for the numbers and the bytes of a message, up to the first field
// that is neither.
func fields(message []byte, each func(number protowire.Number, n uint64, b []byte)) {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return
		}
		message = message[n:]
		var value uint64
		var inside []byte
		switch kind {
		case protowire.VarintType:
			value, n = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			inside, n = protowire.ConsumeBytes(message)
		default:
			return
		}
		if n < 0 {
			return
		}
		message = message[n:]
		each(number, value, inside)
	}
}
