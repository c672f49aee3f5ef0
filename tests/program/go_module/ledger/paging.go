package ledger

// Fits says whether the page is within a limit. A test of another package cannot name it without a type argument.
func (p *Page[T]) Fits(limit int) bool {
	if limit < 0 {
		return false
	}
	return len(p.entries) <= limit
}
