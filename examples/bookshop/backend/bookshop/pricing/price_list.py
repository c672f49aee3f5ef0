"""Prices that change on certain days and fall with the quantity."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ..errors import NotFound
from ..money import Money


@dataclass(frozen=True)
class PriceChange:
    isbn: str
    effective: date
    price: Money


@dataclass(frozen=True)
class QuantityBreak:
    """From ``minimum`` copies on, each costs ``percent`` less."""

    minimum: int
    percent: Decimal

    def __post_init__(self) -> None:
        if self.minimum < 1:
            raise ValueError("a quantity break starts at one copy or more")
        if not 0 <= self.percent <= 100:
            raise ValueError("a percentage lies between 0 and 100")


class PriceList:
    """Looks up the price of a book on a day.

    Where two changes of one book take effect on the same day, the one given last holds.
    """

    def __init__(
        self,
        changes: Iterable[PriceChange],
        breaks: Iterable[QuantityBreak] = (),
    ) -> None:
        by_day: dict[str, dict[date, PriceChange]] = {}
        for change in changes:
            by_day.setdefault(change.isbn, {})[change.effective] = change
        self._history = {
            isbn: sorted(days.values(), key=lambda change: change.effective)
            for isbn, days in by_day.items()
        }
        self._breaks = sorted(breaks, key=lambda step: step.minimum)

    def price_on(self, isbn: str, day: date) -> Money:
        """The price in force on the day; a book that has none yet is not found."""
        history = self._history.get(isbn, [])
        index = bisect_right(history, day, key=lambda change: change.effective)
        if index == 0:
            raise NotFound(f"{isbn} has no price on {day}")
        return history[index - 1].price

    def next_change(self, isbn: str, day: date) -> PriceChange | None:
        """The first change after the day, if one is planned."""
        for change in self._history.get(isbn, []):
            if change.effective > day:
                return change
        return None

    def unit_price(self, isbn: str, day: date, quantity: int) -> Money:
        """The price of one copy when so many are bought."""
        if quantity < 1:
            raise ValueError("at least one copy is bought")
        price = self.price_on(isbn, day)
        percent = Decimal(0)
        for step in self._breaks:
            if quantity < step.minimum:
                break
            percent = step.percent
        return price.times(100 - percent, 100) if percent else price

    def lowest_since(self, isbn: str, start: date, end: date) -> Money:
        """The lowest price between two days, as a reduction has to state it."""
        if end < start:
            raise ValueError("the end lies before the start")
        candidates = [
            change.price
            for change in self._history.get(isbn, [])
            if start < change.effective <= end
        ]
        try:
            candidates.append(self.price_on(isbn, start))
        except NotFound:
            if not candidates:
                raise
        return min(candidates)


def percent_off(before: Money, now: Money) -> int:
    """By how many whole percent a price has fallen; never negative, and rounded down."""
    if before.minor <= 0 or now >= before:
        return 0
    return (before.minor - now.minor) * 100 // before.minor
