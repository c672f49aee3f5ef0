package ledger

// Book holds amounts by name.
type Book struct{ amounts map[string]int }

// Page holds some entries of a book.
type Page[T any] struct{ entries []T }
