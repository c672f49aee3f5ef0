"""Card numbers: reading them, checking them and hiding them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum


class Network(Enum):
    VISA = "Visa"
    MASTERCARD = "Mastercard"
    AMEX = "American Express"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Card:
    number: str
    expiry_month: int
    expiry_year: int
    security_code: str

    def __repr__(self) -> str:
        return f"Card({mask(self.number)})"


def digits_of(text: str) -> str:
    """The digits of a number written in groups."""
    return "".join(c for c in text if c not in " -")


def passes_luhn(number: str) -> bool:
    """The check-sum that catches most typing mistakes."""
    if not (number.isascii() and number.isdigit()):
        return False
    total = 0
    for position, digit in enumerate(reversed(number)):
        value = int(digit)
        if position % 2:
            value *= 2
            if value > 9:
                value -= 9
        total += value
    return total % 10 == 0


def network_of(number: str) -> Network:
    """Which network a number belongs to, by its first digits and its length."""
    if not (number.isascii() and number.isdigit()):
        return Network.UNKNOWN
    if number.startswith("4") and len(number) in (13, 16, 19):
        return Network.VISA
    if len(number) == 16:
        if 51 <= int(number[:2]) <= 55 or 2221 <= int(number[:4]) <= 2720:
            return Network.MASTERCARD
    if len(number) == 15 and number[:2] in ("34", "37"):
        return Network.AMEX
    return Network.UNKNOWN


def mask(number: str) -> str:
    """All but the last four digits hidden; a short number is hidden altogether."""
    digits = digits_of(number)
    if len(digits) < 8:
        return "*" * len(digits)
    return "*" * (len(digits) - 4) + digits[-4:]


def check_card(card: Card, today: date) -> list[str]:
    """What is wrong with a card, in words for the customer."""
    problems = []
    number = digits_of(card.number)
    network = network_of(number)
    if not passes_luhn(number) or len(number) < 12:
        problems.append("The card number has a typing mistake.")
    elif network is Network.UNKNOWN:
        problems.append("We do not accept this kind of card.")

    if not 1 <= card.expiry_month <= 12:
        problems.append("There is no such month.")
    elif (card.expiry_year, card.expiry_month) < (today.year, today.month):
        problems.append("The card has expired.")
    elif card.expiry_year > today.year + 20:
        problems.append("The year of expiry is too far ahead.")

    expected = 4 if network is Network.AMEX else 3
    code = card.security_code
    if len(code) != expected or not (code.isascii() and code.isdigit()):
        problems.append(f"The security code has {expected} digits.")
    return problems
