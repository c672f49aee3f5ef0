"""Value-added tax on prices that include it. The rates are samples, not advice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from ..money import Money, total


class TaxClass(Enum):
    BOOK = "book"
    DIGITAL = "digital"
    SERVICE = "service"


class UnknownCountry(LookupError):
    """There are no rates for the country."""


_PERCENT = {
    "AT": {TaxClass.BOOK: "10", TaxClass.DIGITAL: "10", TaxClass.SERVICE: "20"},
    "DE": {TaxClass.BOOK: "7", TaxClass.DIGITAL: "7", TaxClass.SERVICE: "19"},
    "FR": {TaxClass.BOOK: "5.5", TaxClass.DIGITAL: "5.5", TaxClass.SERVICE: "20"},
    "NL": {TaxClass.BOOK: "9", TaxClass.DIGITAL: "9", TaxClass.SERVICE: "21"},
}


@dataclass(frozen=True)
class VatLine:
    """All that is taxed at one rate."""

    percent: Decimal
    net: Money
    tax: Money


def rate_for(country: str, tax_class: TaxClass) -> Decimal:
    """The rate in percent."""
    try:
        return Decimal(_PERCENT[country.upper()][tax_class])
    except KeyError:
        raise UnknownCountry(country) from None


def net_of(gross: Money, percent: Decimal) -> Money:
    """The part of a price that is not tax."""
    if percent < 0:
        raise ValueError("a rate is not negative")
    return gross.times(100, 100 + percent)


def vat_breakdown(country: str, amounts: Iterable[tuple[TaxClass, Money]]) -> list[VatLine]:
    """Tax by rate, lowest rate first; rounded once for each rate and not for each amount."""
    by_rate: dict[Decimal, list[Money]] = {}
    for tax_class, amount in amounts:
        by_rate.setdefault(rate_for(country, tax_class), []).append(amount)
    lines = []
    for percent in sorted(by_rate):
        gross = total(by_rate[percent])
        net = net_of(gross, percent)
        lines.append(VatLine(percent, net, gross - net))
    return lines
