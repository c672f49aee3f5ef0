from decimal import Decimal

import pytest

from bookshop.money import CurrencyMismatch, Money, total


def test_parse_reads_amounts_exactly():
    assert Money.parse("12.90") == Money(1290)
    assert Money.parse(" -0.5 ", "USD") == Money(-50, "USD")
    assert Money.parse("1200", "JPY") == Money(1200, "JPY")


@pytest.mark.parametrize("text", ["", "abc", "1e3", "1,50", "1.234", "NaN"])
def test_parse_refuses_what_is_not_an_amount(text):
    with pytest.raises(ValueError):
        Money.parse(text)


def test_parse_refuses_decimals_that_the_currency_does_not_have():
    with pytest.raises(ValueError, match="too many decimals"):
        Money.parse("1.5", "JPY")


def test_only_known_currencies_and_whole_minor_units():
    with pytest.raises(ValueError, match="unknown currency"):
        Money(1, "XXX")
    with pytest.raises(TypeError):
        Money(1.5)
    with pytest.raises(TypeError):
        Money(True)


def test_arithmetic_and_order():
    assert Money(150) + Money(50) == Money(200)
    assert Money(150) - Money(200) == -Money(50)
    assert Money(1) < Money(2) <= Money(2)
    assert Money(0).is_zero and not Money(1).is_zero
    assert Money(1290).major == Decimal("12.90")


@pytest.mark.parametrize("combine", [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a < b])
def test_currencies_do_not_mix(combine):
    with pytest.raises(CurrencyMismatch):
        combine(Money(1, "EUR"), Money(1, "USD"))


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(1205), "12.05 EUR"),
        (Money(-5), "-0.05 EUR"),
        (Money(-300, "JPY"), "-300 JPY"),
    ],
)
def test_text(money, text):
    assert str(money) == text


def test_times_rounds_halves_away_from_zero():
    assert Money(5).times(Decimal("0.5")) == Money(3)
    assert Money(-5).times(Decimal("0.5")) == Money(-3)
    assert Money(3).times(5, 6) == Money(3)
    assert Money(250).times(3) == Money(750)


def test_split_loses_nothing():
    assert Money(100).split([1, 1, 1]) == [Money(34), Money(33), Money(33)]
    assert Money(-100).split([1, 1, 1]) == [Money(-33), Money(-33), Money(-34)]
    assert Money(7).split([0, 3, 1]) == [Money(0), Money(5), Money(2)]


@pytest.mark.parametrize("weights", [[], [0, 0], [2, -1]])
def test_split_refuses_weights_without_meaning(weights):
    with pytest.raises(ValueError):
        Money(100).split(weights)


def test_total():
    assert total([]) == Money(0)
    assert total([], "USD") == Money(0, "USD")
    assert total([Money(1, "USD"), Money(2, "USD")]) == Money(3, "USD")
