package main

import (
	"encoding/binary"
	"io"
	"net"
)

// blockSize is what the source writes at once.
const blockSize = 64 << 10

// serve accepts connections for one service until the listener is closed.
func serve(listener net.Listener, handle func(net.Conn)) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			handle(conn)
		}()
	}
}

// echo returns what it receives. Without the wrapping the system would splice, which
// takes two more descriptors for each connection.
func echo(conn net.Conn) {
	io.CopyBuffer(struct{ io.Writer }{conn}, struct{ io.Reader }{conn}, make([]byte, 1<<10))
}

// source reads a count (u64, big-endian) and writes that many bytes.
func source(conn net.Conn) {
	pourCount(conn, func(i int) byte { return byte(i * 7) })
}

// text is source with lines of lineLength bytes, newline included.
func text(conn net.Conn) {
	pourCount(conn, func(i int) byte {
		if i%lineLength == lineLength-1 {
			return '\n'
		}
		return 'a' + byte(i*7%26)
	})
}

// lineLength divides blockSize.
const lineLength = 64

// pourCount reads a count and writes so many bytes, then waits for the end. The bytes are those of
// one block, again and again; at gives each by its place in it.
func pourCount(conn net.Conn, at func(i int) byte) {
	count, err := readCount(conn)
	if err != nil {
		return
	}
	block := make([]byte, blockSize)
	for i := range block {
		block[i] = at(i)
	}
	for count > 0 {
		n, err := conn.Write(block[:min(count, uint64(len(block)))])
		if err != nil {
			return
		}
		count -= uint64(n)
	}
	// The page closes when it has counted all of them.
	io.Copy(io.Discard, conn)
}

// sink reads a count (u64, big-endian) and that many bytes, then answers with one byte.
func sink(conn net.Conn) {
	count, err := readCount(conn)
	if err != nil {
		return
	}
	if _, err := io.CopyN(io.Discard, conn, int64(count)); err != nil {
		return
	}
	conn.Write([]byte{1})
	io.Copy(io.Discard, conn)
}

func readCount(conn net.Conn) (uint64, error) {
	var count [8]byte
	_, err := io.ReadFull(conn, count[:])
	return binary.BigEndian.Uint64(count[:]), err
}

// pourBytes is for 16 s of 100 Mbit/s, longer than any measurement. It is not endless
// because a rival without flow control takes all of it into its memory at once.
const pourBytes = 200 << 20

// pour writes as fast as it is taken.
func pour(conn net.Conn) {
	block := make([]byte, blockSize)
	for range pourBytes / blockSize {
		if _, err := conn.Write(block); err != nil {
			return
		}
	}
	io.Copy(io.Discard, conn)
}

// drain reads without end and says every drainReport bytes that it has, one byte each.
func drain(conn net.Conn) {
	for {
		if _, err := io.CopyN(io.Discard, conn, drainReport); err != nil {
			return
		}
		if _, err := conn.Write([]byte{1}); err != nil {
			return
		}
	}
}

// drainReport is fine enough to read a rate from: 5 ms of 100 Mbit/s.
const drainReport = 64 << 10
