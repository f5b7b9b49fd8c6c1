package forward

import "io"

// standard is a Local of two streams.
type standard struct {
	in  *io.PipeReader
	out io.WriteCloser
}

// Standard returns a Local that reads in and writes out, such as standard input and output. The
// goroutine that reads in may outlive the Local, because nothing can end the read of a
// terminal. It is for programs that end soon afterwards.
func Standard(in io.Reader, out io.WriteCloser) Local {
	r, w := io.Pipe()
	go func() {
		_, err := io.Copy(w, in)
		_ = w.CloseWithError(err) // nil stands for the end; never fails
	}()
	return standard{r, out}
}

func (s standard) Read(b []byte) (int, error)  { return s.in.Read(b) }
func (s standard) Write(b []byte) (int, error) { return s.out.Write(b) }
func (s standard) CloseWrite() error           { return s.out.Close() }
func (s standard) Reset() error                { return s.Close() }

func (s standard) Close() error {
	_ = s.in.Close()  // never fails
	_ = s.out.Close() // it may be closed already
	return nil
}
