"""Points for purchases: earning, spending and losing them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from ..money import Money

_VALID_DAYS = 730
_CENTS_PER_POINT = 5


class Tier(Enum):
    READER = "reader"
    COLLECTOR = "collector"
    PATRON = "patron"

    @property
    def factor(self) -> int:
        return {Tier.READER: 1, Tier.COLLECTOR: 2, Tier.PATRON: 3}[self]


@dataclass(frozen=True)
class Earning:
    day: date
    points: int

    def is_valid(self, today: date) -> bool:
        return self.day <= today < self.day + timedelta(days=_VALID_DAYS)


class NotEnoughPoints(ValueError):
    """More points were to be spent than there are."""


def tier_for(spent_last_year: Money) -> Tier:
    """The tier a year's purchases lead to."""
    if spent_last_year.minor >= 500_00:
        return Tier.PATRON
    if spent_last_year.minor >= 150_00:
        return Tier.COLLECTOR
    return Tier.READER


def points_for(amount: Money, tier: Tier, on_birthday: bool = False) -> int:
    """A point for each whole unit of currency, times the tier; twice as many on a birthday."""
    if amount.minor <= 0:
        return 0
    points = int(amount.major) * tier.factor
    return points * 2 if on_birthday else points


class Account:
    """A customer's points. Those that expire first are spent first."""

    def __init__(self, earnings: Iterable[Earning] = ()) -> None:
        self._earnings = sorted(earnings, key=lambda earning: earning.day)

    def balance(self, today: date) -> int:
        return sum(e.points for e in self._earnings if e.is_valid(today))

    def earn(self, day: date, points: int) -> None:
        if points < 0:
            raise ValueError("points are earned, not taken")
        if points:
            self._earnings.append(Earning(day, points))
            self._earnings.sort(key=lambda earning: earning.day)

    def spend(self, points: int, today: date) -> Money:
        """Turn points into a credit."""
        if points < 1:
            raise ValueError("at least one point must be spent")
        if points > self.balance(today):
            raise NotEnoughPoints(f"{self.balance(today)} of {points} points")
        missing = points
        kept = []
        for earning in self._earnings:
            if missing and earning.is_valid(today):
                used = min(missing, earning.points)
                missing -= used
                if used == earning.points:
                    continue
                earning = Earning(earning.day, earning.points - used)
            kept.append(earning)
        self._earnings = kept
        return Money(points * _CENTS_PER_POINT, "EUR")

    def expiring(self, today: date, within_days: int = 30) -> int:
        """Points that are valid today and will not be in so many days."""
        then = today + timedelta(days=within_days)
        return sum(
            e.points for e in self._earnings if e.is_valid(today) and not e.is_valid(then)
        )
