from decimal import Decimal

import pytest

from bookshop.cart import Cart
from bookshop.catalog import Author, Book
from bookshop.discounts.rules import FixedOff, PercentageOff
from bookshop.money import Money


def book(isbn: str, cents: int, *subjects: str) -> Book:
    return Book(isbn, "A title", (Author("Writer"),), Money(cents), subjects=frozenset(subjects))


@pytest.fixture
def cart() -> Cart:
    cart = Cart()
    cart.add(book("9780306406157", 1000, "history"), 2)
    cart.add(book("9780804429573", 500))
    return cart


def test_percentage_of_everything(cart):
    assert PercentageOff(Decimal(10)).amount(cart) == Money(250)


def test_percentage_of_one_subject(cart):
    assert PercentageOff(Decimal(10), subject="history").amount(cart) == Money(200)


@pytest.mark.parametrize("percent", ["0", "-5", "100.5"])
def test_percentage_has_limits(percent):
    with pytest.raises(ValueError):
        PercentageOff(Decimal(percent))


def test_fixed_amount_is_never_more_than_the_cart(cart):
    assert FixedOff(Money(300)).amount(cart) == Money(300)
    assert FixedOff(Money(9900)).amount(cart) == Money(2500)


def test_fixed_amount_needs_its_minimum(cart):
    assert FixedOff(Money(300), minimum=Money(2500)).amount(cart) == Money(300)
    assert FixedOff(Money(300), minimum=Money(2501)).amount(cart) == Money(0)
