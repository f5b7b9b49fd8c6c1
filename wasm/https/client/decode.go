package client

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// maxCodings is how many codings an answer may have on top of each other.
const maxCodings = 5

// zstdWindow is how far back zstd may refer, as RFC 9659 has it for HTTP.
const zstdWindow = 8 << 20

// decoded returns the body without the codings of Content-Encoding. As in browsers, a body with a
// coding that is not known stays as it is. A reader holds what its coding refers to and no more,
// so a small body that decodes to a large one takes time, and no memory.
func decoded(body io.Reader, header http.Header) (io.Reader, error) {
	codings := strings.Split(strings.Join(header.Values("Content-Encoding"), ","), ",")
	var open []func(io.Reader) (io.Reader, error)
	for _, coding := range codings {
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "", "identity":
		case "gzip", "x-gzip":
			open = append(open, openGzip)
		case "deflate":
			open = append(open, openDeflate)
		case "br":
			open = append(open, func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil })
		case "zstd":
			open = append(open, openZstd)
		default:
			return body, nil
		}
	}
	if len(open) > maxCodings {
		return nil, errors.New("the answer has too many codings")
	}
	for i := len(open) - 1; i >= 0; i-- { // the last was applied last
		body = &lazy{open: open[i], from: bufio.NewReaderSize(body, bufferSize)}
	}
	return body, nil
}

// lazy opens a decoder with the first byte: a body without bytes is empty in each coding.
type lazy struct {
	open func(io.Reader) (io.Reader, error)
	from *bufio.Reader
	r    io.Reader
}

func (l *lazy) Read(p []byte) (int, error) {
	if l.r == nil {
		if _, err := l.from.Peek(1); err != nil {
			return 0, err
		}
		r, err := l.open(l.from)
		if err != nil {
			return 0, &codingError{err}
		}
		l.r = r
	}
	n, err := l.r.Read(p)
	if err != nil && err != io.EOF {
		err = &codingError{err}
	}
	return n, err
}

// codingError is the error of a body that does not decode.
type codingError struct{ err error }

func (e *codingError) Error() string { return "the body does not decode: " + e.err.Error() }
func (e *codingError) Unwrap() error { return e.err }

// openGzip reads one member of a gzip file after the other. As in browsers, other bytes behind the
// last one do not count.
func openGzip(r io.Reader) (io.Reader, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	return &members{z: z, from: r.(*bufio.Reader)}, nil
}

type members struct {
	z    *gzip.Reader
	from *bufio.Reader
}

func (m *members) Read(p []byte) (int, error) {
	for {
		n, err := m.z.Read(p)
		if n > 0 || err != io.EOF {
			return n, ignoreEOF(n, err)
		}
		if magic, _ := m.from.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
			_, err := io.Copy(io.Discard, m.from)
			return 0, errOrEOF(err)
		}
		if err := m.z.Reset(m.from); err != nil {
			return 0, err
		}
		m.z.Multistream(false)
	}
}

// ignoreEOF leaves the end of a member to the next Read.
func ignoreEOF(n int, err error) error {
	if n > 0 && err == io.EOF {
		return nil
	}
	return err
}

func errOrEOF(err error) error {
	if err == nil {
		return io.EOF
	}
	return err
}

// openDeflate reads the zlib format, which the standard means, and also bare deflate, which some
// servers send.
func openDeflate(r io.Reader) (io.Reader, error) {
	head, _ := r.(*bufio.Reader).Peek(2)
	if len(head) == 2 && head[0]&15 == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		return zlib.NewReader(r)
	}
	return flate.NewReader(r), nil
}

func openZstd(r io.Reader) (io.Reader, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	return z, nil
}
