"""Copies in the warehouse, and those put aside for customers who are paying."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from bookshop.constants import RESERVATION_MINUTES
from bookshop.errors import NotFound, OutOfStock


@dataclass(frozen=True)
class Reservation:
    id: str
    isbn: str
    quantity: int
    expires: datetime

    def is_expired(self, now: datetime) -> bool:
        return now >= self.expires


class Warehouse:
    """Counts copies; what is reserved is on hand, but not available."""

    def __init__(self) -> None:
        self._on_hand: dict[str, int] = {}
        self._reservations: dict[str, Reservation] = {}
        self._ids = count(1)

    def receive(self, isbn: str, quantity: int) -> int:
        """Put copies on the shelf; returns how many stand there now."""
        if quantity < 1:
            raise ValueError("at least one copy must arrive")
        self._on_hand[isbn] = self.on_hand(isbn) + quantity
        return self._on_hand[isbn]

    def on_hand(self, isbn: str) -> int:
        return self._on_hand.get(isbn, 0)

    def reserved(self, isbn: str) -> int:
        return sum(r.quantity for r in self._reservations.values() if r.isbn == isbn)

    def available(self, isbn: str) -> int:
        return self.on_hand(isbn) - self.reserved(isbn)

    def reserve(self, isbn: str, quantity: int, now: datetime) -> str:
        """Put copies aside for a while; returns the reservation's id."""
        if quantity < 1:
            raise ValueError("at least one copy must be reserved")
        self.expire(now)
        if quantity > self.available(isbn):
            raise OutOfStock(f"{isbn}: {quantity} wanted, {self.available(isbn)} available")
        reservation = Reservation(
            id=f"R{next(self._ids)}",
            isbn=isbn,
            quantity=quantity,
            expires=now + timedelta(minutes=RESERVATION_MINUTES),
        )
        self._reservations[reservation.id] = reservation
        return reservation.id

    def release(self, reservation_id: str) -> bool:
        """Give reserved copies back; False when the reservation is already gone."""
        return self._reservations.pop(reservation_id, None) is not None

    def commit(self, reservation_id: str) -> None:
        """The copies are sold and leave the shelf."""
        reservation = self._reservations.pop(reservation_id, None)
        if reservation is None:
            raise NotFound(reservation_id)
        self._on_hand[reservation.isbn] -= reservation.quantity

    def expire(self, now: datetime) -> list[Reservation]:
        """Drop the reservations whose time is up, and return them."""
        expired = [r for r in self._reservations.values() if r.is_expired(now)]
        for reservation in expired:
            del self._reservations[reservation.id]
        return expired

    def correct(self, isbn: str, counted: int) -> int:
        """Take over a count from the shelf; returns the difference to what was believed."""
        if counted < self.reserved(isbn):
            raise ValueError("fewer copies were counted than are promised to customers")
        difference = counted - self.on_hand(isbn)
        self._on_hand[isbn] = counted
        return difference

    def low(self, threshold: int) -> Iterator[tuple[str, int]]:
        """Titles with few available copies, the scarcest first."""
        counts = ((isbn, self.available(isbn)) for isbn in self._on_hand)
        yield from sorted(
            (item for item in counts if item[1] <= threshold),
            key=lambda item: (item[1], item[0]),
        )
