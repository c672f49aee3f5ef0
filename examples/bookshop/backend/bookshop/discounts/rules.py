"""Discounts, each a rule that says what it takes off a cart."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from bookshop.cart.cart import Cart
from bookshop.money import Money, total


class Discount(ABC):
    """Something that takes an amount off a cart."""

    @abstractmethod
    def amount(self, cart: Cart) -> Money:
        """What is taken off: never negative, never more than the subtotal."""


@dataclass(frozen=True)
class PercentageOff(Discount):
    """A share of the whole cart, or of the books on one subject."""

    percent: Decimal
    subject: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.percent <= 100:
            raise ValueError("a percentage lies above 0 and is at most 100")

    def amount(self, cart: Cart) -> Money:
        eligible = [
            line.amount
            for line in cart
            if self.subject is None or self.subject in line.book.subjects
        ]
        return total(eligible, cart.currency).times(self.percent, 100)


@dataclass(frozen=True)
class FixedOff(Discount):
    """An amount off, once the cart is worth enough."""

    value: Money
    minimum: Money | None = None

    def __post_init__(self) -> None:
        if self.value.minor <= 0:
            raise ValueError("a discount is more than nothing")
        if self.minimum is not None and self.minimum.currency != self.value.currency:
            raise ValueError("a discount and its minimum are in one currency")

    def amount(self, cart: Cart) -> Money:
        subtotal = cart.subtotal()
        if self.value.currency != cart.currency:
            return Money(0, cart.currency)
        if self.minimum is not None and subtotal < self.minimum:
            return Money(0, cart.currency)
        return min(self.value, subtotal)


@dataclass(frozen=True)
class CheapestFree(Discount):
    """For every ``group`` printed books, the cheapest of them all is free."""

    group: int = 3

    def __post_init__(self) -> None:
        if self.group < 2:
            raise ValueError("a group has at least two books")

    def amount(self, cart: Cart) -> Money:
        prices: list[Money] = []
        for line in cart:
            if not line.book.format.is_digital:
                prices.extend([line.book.price] * line.quantity)
        free = len(prices) // self.group
        return total(sorted(prices)[:free], cart.currency)


@dataclass(frozen=True)
class Coupon:
    """A code a customer can type in, and when it counts."""

    code: str
    discount: Discount
    valid_from: date | None = None
    valid_until: date | None = None
    combinable: bool = False

    def is_valid(self, today: date) -> bool:
        if self.valid_from is not None and today < self.valid_from:
            return False
        return self.valid_until is None or today <= self.valid_until


def find_coupon(coupons: Iterable[Coupon], typed: str) -> Coupon | None:
    """Look a code up as a customer types it: case, spaces and hyphens do not matter."""
    wanted = _canonical(typed)
    for coupon in coupons:
        if wanted and _canonical(coupon.code) == wanted:
            return coupon
    return None


def best_discount(cart: Cart, coupons: Sequence[Coupon], today: date) -> tuple[Money, list[Coupon]]:
    """The most that can be taken off: all combinable coupons together, or a single other one."""
    zero = Money(0, cart.currency)
    subtotal = cart.subtotal()
    together: list[Coupon] = []
    single: list[list[Coupon]] = []
    for coupon in coupons:
        if not coupon.is_valid(today):
            continue
        if coupon.combinable:
            together.append(coupon)
        else:
            single.append([coupon])

    best, used = zero, []
    for choice in [together, *single]:
        amounts = [coupon.discount.amount(cart) for coupon in choice]
        saved = min(total(amounts, cart.currency), subtotal)
        if saved > best:
            best, used = saved, [c for c, amount in zip(choice, amounts) if not amount.is_zero]
    return best, used


def _canonical(code: str) -> str:
    return "".join(code.split()).replace("-", "").upper()
