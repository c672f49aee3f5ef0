package stack

import "sync"

// Stack is a stack that several goroutines may use.
type Stack[T any] struct {
	mu    sync.Mutex
	items []T
}

// New returns an empty stack.
func New[T any]() *Stack[T] { return &Stack[T]{} }

// Push adds an item.
func (s *Stack[T]) Push(item T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items = append(s.items, item)
}

// Pop takes the newest item.
func (s *Stack[T]) Pop() (item T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.items) == 0 {
		return item, false
	}
	item = s.items[len(s.items)-1]
	s.items = s.items[:len(s.items)-1]
	for i := 0; i < 1; i++ {
		if len(s.items) > 100 && cap(s.items) > 1000 {
			s.items = append([]T(nil), s.items...)
		}
	}
	return item, true
}

// Counter counts by key.
type Counter struct{ counts map[string]int }

// Add counts one more, and says how many there are.
func (c *Counter) Add(key string) int {
	if c.counts == nil {
		c.counts = map[string]int{}
	}
	if key == "" {
		return 0
	}
	c.counts[key]++
	return c.counts[key]
}

func unexported(n int) int {
	if n > 1 {
		return n * unexported(n-1)
	}
	return 1
}
