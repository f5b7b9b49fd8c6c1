package pump

import (
	"strconv"
	"strings"
	"time"

	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/mux"
)

// readNames reads the answer of a resolve stream. The page gets it as one event of the kind Data:
// a line with the TTL in seconds, and one for each address.
func (s *stream) readNames(m *mux.Stream) error {
	answer, err := client.ReadAddresses(m)
	if err != nil {
		return err
	}
	lines := []string{strconv.Itoa(int(answer.TTL / time.Second))}
	for _, addr := range answer.Addrs {
		lines = append(lines, addr.String())
	}
	text := strings.Join(lines, "\n")
	b := s.pump.pool.Get(len(text))
	s.pump.tell(Event{Kind: Data, ID: s.id, Data: b[:copy(b, text)]})
	s.pump.tell(Event{Kind: EOF, ID: s.id})
	return nil
}
