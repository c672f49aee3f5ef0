from decimal import Decimal

import pytest

from bookshop.money import CurrencyMismatch, Money
from bookshop.tax.vat import TaxClass, UnknownCountry, VatLine, net_of, rate_for, vat_breakdown


def test_rate_depends_on_country_and_class():
    assert rate_for("DE", TaxClass.BOOK) == 7
    assert rate_for("de", TaxClass.SERVICE) == 19
    assert rate_for("FR", TaxClass.DIGITAL) == Decimal("5.5")


def test_a_country_without_rates():
    with pytest.raises(UnknownCountry, match="XX"):
        rate_for("XX", TaxClass.BOOK)


def test_net_of():
    assert net_of(Money(1070), Decimal(7)) == Money(1000)
    assert net_of(Money(999), Decimal(0)) == Money(999)
    assert net_of(Money(3), Decimal(20)) == Money(3)
    with pytest.raises(ValueError):
        net_of(Money(100), Decimal(-1))


def test_breakdown_adds_up_by_rate():
    lines = vat_breakdown(
        "DE",
        [
            (TaxClass.SERVICE, Money(1190)),
            (TaxClass.BOOK, Money(535)),
            (TaxClass.DIGITAL, Money(535)),
        ],
    )
    assert lines == [
        VatLine(Decimal(7), Money(1000), Money(70)),
        VatLine(Decimal(19), Money(1000), Money(190)),
    ]


def test_breakdown_of_nothing():
    assert vat_breakdown("DE", []) == []


def test_breakdown_keeps_currencies_apart():
    with pytest.raises(CurrencyMismatch):
        vat_breakdown("NL", [(TaxClass.BOOK, Money(1)), (TaxClass.BOOK, Money(1, "USD"))])
