package ledger

// Methods alone: their type stands in book.go.

// Enter adds to an amount, and says what it is now.
func (b *Book) Enter(name string, amount int) int {
	if b.amounts == nil {
		b.amounts = map[string]int{}
	}
	b.amounts[name] += amount
	return b.amounts[name]
}

// Size counts the names.
func (b Book) Size() int { return len(b.amounts) }
