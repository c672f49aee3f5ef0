"""Amounts of money in minor units (cents), so that sums are exact."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import total_ordering

from .constants import DEFAULT_CURRENCY

_DECIMALS = {"EUR": 2, "GBP": 2, "USD": 2, "CHF": 2, "JPY": 0}
_AMOUNT = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)


class CurrencyMismatch(ValueError):
    """Two amounts in different currencies were combined."""


@total_ordering
@dataclass(frozen=True)
class Money:
    """An exact amount in one currency."""

    minor: int
    currency: str = DEFAULT_CURRENCY

    def __post_init__(self) -> None:
        if self.currency not in _DECIMALS:
            raise ValueError(f"unknown currency: {self.currency!r}")
        if isinstance(self.minor, bool) or not isinstance(self.minor, int):
            raise TypeError("an amount is a whole number of minor units")

    @classmethod
    def parse(cls, text: str, currency: str = DEFAULT_CURRENCY) -> Money:
        """Read an amount such as ``"12.90"``; more digits than the currency has are refused."""
        cleaned = text.strip()
        if not _AMOUNT.fullmatch(cleaned):
            raise ValueError(f"not an amount: {text!r}")
        zero = cls(0, currency)
        scaled = Decimal(cleaned).scaleb(_DECIMALS[zero.currency])
        if scaled != scaled.to_integral_value():
            raise ValueError(f"too many decimals for {currency}: {text!r}")
        return cls(int(scaled), currency)

    @property
    def is_zero(self) -> bool:
        return self.minor == 0

    @property
    def major(self) -> Decimal:
        """The amount in whole units, such as 12.90 for 1290 cents."""
        return Decimal(self.minor).scaleb(-_DECIMALS[self.currency])

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same_currency(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same_currency(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same_currency(other)

    def __str__(self) -> str:
        decimals = _DECIMALS[self.currency]
        sign = "-" if self.minor < 0 else ""
        if decimals == 0:
            return f"{sign}{abs(self.minor)} {self.currency}"
        whole, fraction = divmod(abs(self.minor), 10**decimals)
        return f"{sign}{whole}.{fraction:0{decimals}d} {self.currency}"

    def times(self, factor: int | Decimal, divisor: int | Decimal = 1) -> Money:
        """Multiply, then divide, and round once: halves away from zero."""
        exact = Decimal(self.minor) * factor / divisor
        return Money(int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)), self.currency)

    def split(self, weights: Sequence[int]) -> list[Money]:
        """Divide in proportion to the weights; the parts add up to the whole exactly."""
        if any(weight < 0 for weight in weights):
            raise ValueError("weights must not be negative")
        whole = sum(weights)
        if whole == 0:
            raise ValueError("at least one weight must be positive")
        shares = [divmod(self.minor * weight, whole) for weight in weights]
        parts = [share for share, _ in shares]
        missing = self.minor - sum(parts)
        by_remainder = sorted(range(len(weights)), key=lambda i: -shares[i][1])
        for i in by_remainder[:missing]:
            parts[i] += 1
        return [Money(part, self.currency) for part in parts]

    def _same_currency(self, other: Money) -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return other.minor


def total(amounts: Iterable[Money], currency: str = DEFAULT_CURRENCY) -> Money:
    """Add up amounts; of none, zero in the given currency."""
    result: Money | None = None
    for amount in amounts:
        result = amount if result is None else result + amount
    return Money(0, currency) if result is None else result
