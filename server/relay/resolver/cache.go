package resolver

import (
	"container/list"
	"time"
)

// cache keeps answers until they are old, and no more than it may: then the one goes that
// was not asked for the longest. It is not safe for use by several goroutines.
type cache struct {
	most  int
	known map[question]*list.Element // of order
	order *list.List                 // of *entry, the one that was asked for last in front
}

type entry struct {
	question question
	answer   answer
}

func newCache(most int) *cache {
	return &cache{most: most, known: make(map[question]*list.Element), order: list.New()}
}

func (c *cache) get(q question, now time.Time) (answer, bool) {
	element := c.known[q]
	if element == nil {
		return answer{}, false
	}
	e := element.Value.(*entry)
	if !now.Before(e.answer.until) {
		c.remove(element)
		return answer{}, false
	}
	c.order.MoveToFront(element)
	return e.answer, true
}

func (c *cache) put(q question, a answer) {
	if element := c.known[q]; element != nil {
		c.remove(element)
	}
	c.known[q] = c.order.PushFront(&entry{q, a})
	for c.order.Len() > c.most {
		c.remove(c.order.Back())
	}
}

func (c *cache) remove(element *list.Element) {
	c.order.Remove(element)
	delete(c.known, element.Value.(*entry).question)
}

func (c *cache) len() int { return c.order.Len() }

func (c *cache) flush() {
	clear(c.known)
	c.order.Init()
}
