package pump

import (
	"io"
	"strconv"

	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// Toy is a kind of streams as a new one comes in: its reader, and its line in the table.
const Toy = wire.UDP

func init() { readers[Toy] = (*stream).readToy }

// readToy tells the page how many bytes came.
func (s *stream) readToy(m *mux.Stream) error {
	n, err := io.Copy(io.Discard, m)
	if err != nil {
		return err
	}
	text := strconv.FormatInt(n, 10)
	b := s.pump.pool.Get(len(text))
	s.pump.tell(Event{Kind: Data, ID: s.id, Data: b[:copy(b, text)]})
	s.pump.tell(Event{Kind: EOF, ID: s.id})
	return nil
}
