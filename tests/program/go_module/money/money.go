// Package money holds amounts in cents and the arithmetic on them.
package money

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrNegative is returned where only amounts from zero on make sense.
var ErrNegative = errors.New("negative amount")

// Amount is a number of cents.
type Amount int64

// Currency names a currency and how it is shown.
type Currency struct {
	Code   string
	Symbol string
	Digits int
}

// Parse reads "12.34" as 1234 cents.
func Parse(text string) (Amount, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, errors.New("empty amount")
	}
	whole, fraction, found := strings.Cut(text, ".")
	cents, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("amount %q: %w", text, err)
	}
	cents *= 100
	if found {
		for len(fraction) < 2 {
			fraction += "0"
		}
		if len(fraction) > 2 {
			return 0, errors.New("too many digits")
		}
		rest, err := strconv.ParseInt(fraction, 10, 64)
		if err != nil {
			return 0, err
		}
		if cents < 0 {
			cents -= rest
		} else {
			cents += rest
		}
	}
	return Amount(cents), nil
}

// Format shows the amount in a currency.
func (a Amount) Format(c Currency) string {
	if a < 0 {
		return "-" + (-a).Format(c)
	}
	return fmt.Sprintf("%s%d.%02d", c.Symbol, int64(a)/100, int64(a)%100)
}

// Split divides an amount in n parts that differ by a cent at the most.
func Split(a Amount, n int) ([]Amount, error) {
	if a < 0 {
		return nil, ErrNegative
	}
	if n <= 0 {
		return nil, errors.New("no parts")
	}
	parts := make([]Amount, n)
	for i := range parts {
		parts[i] = a / Amount(n)
		if Amount(i) < a%Amount(n) {
			parts[i]++
		}
	}
	return parts, nil
}

// Max returns the larger of two values.
func Max[T int | int64 | Amount](a, b T) T {
	if a > b {
		return a
	}
	return b
}
