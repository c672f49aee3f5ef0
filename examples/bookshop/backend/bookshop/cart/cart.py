"""The shopping cart: one line for each title, with limits on both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bookshop.catalog.models import Book
from bookshop.constants import MAX_COPIES_PER_TITLE, MAX_LINES_PER_CART
from bookshop.errors import BookshopError, NotFound
from bookshop.money import Money, total


class CartLimitReached(BookshopError):
    """The cart holds as much as it may."""


@dataclass(frozen=True)
class CartLine:
    book: Book
    quantity: int

    @property
    def amount(self) -> Money:
        return self.book.price.times(self.quantity)


class Cart:
    """Lines in the order in which the titles were first added."""

    def __init__(self, currency: str = "EUR") -> None:
        self.currency = currency
        self._lines: dict[str, CartLine] = {}

    def __len__(self) -> int:
        return sum(line.quantity for line in self._lines.values())

    def __iter__(self) -> Iterator[CartLine]:
        return iter(self._lines.values())

    def __contains__(self, isbn: object) -> bool:
        return isbn in self._lines

    def add(self, book: Book, quantity: int = 1) -> CartLine:
        """Add copies; a digital book is bought once, however often it is added."""
        if quantity < 1:
            raise ValueError("at least one copy must be added")
        if book.price.currency != self.currency:
            raise ValueError(f"this cart is in {self.currency}")
        present = self._lines.get(book.isbn)
        if present is None and len(self._lines) >= MAX_LINES_PER_CART:
            raise CartLimitReached(f"no more than {MAX_LINES_PER_CART} titles")
        if book.format.is_digital:
            wanted = 1
        else:
            wanted = quantity + (present.quantity if present else 0)
        return self._store(CartLine(book, wanted))

    def change(self, isbn: str, quantity: int) -> CartLine | None:
        """Set the number of copies; zero takes the line out."""
        if quantity < 0:
            raise ValueError("a quantity is not negative")
        if isbn not in self._lines:
            raise NotFound(isbn)
        if quantity == 0:
            del self._lines[isbn]
            return None
        line = self._lines[isbn]
        if line.book.format.is_digital:
            return line
        return self._store(replace(line, quantity=quantity))

    def merge(self, other: Cart) -> list[str]:
        """Take over a guest's cart after signing in; returns the ISBNs that did not fit."""
        left_behind = []
        for line in other:
            try:
                self.add(line.book, line.quantity)
            except (CartLimitReached, ValueError):
                left_behind.append(line.book.isbn)
        return left_behind

    def subtotal(self) -> Money:
        return total((line.amount for line in self), self.currency)

    def weight_grams(self) -> int:
        """What the parcel will weigh; digital books weigh nothing."""
        return sum(
            line.book.weight_grams * line.quantity
            for line in self
            if not line.book.format.is_digital
        )

    def needs_shipping(self) -> bool:
        return any(not line.book.format.is_digital for line in self)

    def _store(self, line: CartLine) -> CartLine:
        if line.quantity > MAX_COPIES_PER_TITLE:
            raise CartLimitReached(f"no more than {MAX_COPIES_PER_TITLE} copies of a title")
        self._lines[line.book.isbn] = line
        return line
