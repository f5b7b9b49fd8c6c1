package mux

// Writing returns the number of streams with a Write that waits for its window.
func (s *Session) Writing() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, stream := range s.streams {
		stream.mu.Lock()
		if stream.send.work == workWaiting && stream.send.credit <= 0 {
			n++
		}
		stream.mu.Unlock()
	}
	return n
}

// StartLeft returns what is left of StartBudget.
func (s *Session) StartLeft() int {
	s.growth.mu.Lock()
	defer s.growth.mu.Unlock()
	return s.growth.start
}
