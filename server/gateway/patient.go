package gateway

import (
	"net/http"
	"time"
)

// writePatience is how long a browser may take nothing of an answer before it is given
// up: long enough for a phone that changes its network.
const writePatience = time.Minute

// patient moves the write deadline with every write, so that an answer may take any time
// while it moves. http.Server.WriteTimeout would cut big files on slow lines instead.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
}

func newPatient(w http.ResponseWriter) *patient {
	p := &patient{w, http.NewResponseController(w)}
	p.extend()
	return p
}

// extend has no effect where there is no connection with deadlines (tests without one).
func (p *patient) extend() { _ = p.control.SetWriteDeadline(time.Now().Add(writePatience)) }

// Write implements io.Writer. There is no ReadFrom on purpose: it would hide the writes.
func (p *patient) Write(b []byte) (int, error) {
	p.extend()
	return p.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (p *patient) Unwrap() http.ResponseWriter { return p.ResponseWriter }
