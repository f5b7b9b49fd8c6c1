package client

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

const text = "the text, the text, the text, the text"

func gzipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, s)
	_ = w.Close()
	return b.String()
}

func deflated(s string) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 9)
	_, _ = io.WriteString(w, s)
	_ = w.Close()
	return b.String()
}

func zstandard(s string, window int) string {
	var b bytes.Buffer
	w, _ := zstd.NewWriter(&b, zstd.WithWindowSize(window))
	_, _ = io.WriteString(w, s)
	_ = w.Close()
	return b.String()
}

func brotlied(s string) string {
	var b bytes.Buffer
	w := brotli.NewWriter(&b)
	_, _ = io.WriteString(w, s)
	_ = w.Close()
	return b.String()
}

func decode(coding, body string) (string, error) {
	r, err := decoded(strings.NewReader(body), http.Header{"Content-Encoding": strings.Split(coding, ";")})
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(r)
	return string(b), err
}

func TestDecoded(t *testing.T) {
	for _, c := range []struct{ coding, body string }{
		{"", text},
		{"identity", text},
		{"unknown", text},
		{"gzip, unknown", text},
		{"gzip", gzipped(text)},
		{" X-GZIP ", gzipped(text)},
		{"gzip", gzipped(text[:9]) + gzipped(text[9:])},
		{"gzip", gzipped(text) + "junk"},
		{"gzip, gzip", gzipped(gzipped(text))},
		{"gzip;gzip", gzipped(gzipped(text))},
		{"deflate", deflated(text)},
		{"deflate, gzip", gzipped(deflated(text))},
		{"zstd", zstandard(text, 1<<20)},
		{"br", brotlied(text)},
	} {
		if got, err := decode(c.coding, c.body); got != text || err != nil {
			t.Errorf("%s: %q, %v", c.coding, got, err)
		}
	}
	for _, coding := range []string{"gzip", "br", "zstd", "deflate"} {
		if got, err := decode(coding, ""); got != "" || err != nil {
			t.Errorf("%s of nothing: %q, %v", coding, got, err)
		}
		var coded *codingError
		if _, err := decode(coding, "\xff\xff this is no such coding"); !errors.As(err, &coded) {
			t.Errorf("%s of something else: %v", coding, err)
		}
	}
	if _, err := decode("gzip", gzipped(text)[:20]); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("half a body: %v", err)
	}
	if _, err := decode(strings.Repeat("gzip,", maxCodings+1), ""); err == nil {
		t.Error("any number of codings is taken")
	}
	if _, err := decode("zstd", zstandard(strings.Repeat(text, 1<<18), 2*zstdWindow)); err == nil {
		t.Error("a window beyond RFC 9659 is taken")
	}
}
