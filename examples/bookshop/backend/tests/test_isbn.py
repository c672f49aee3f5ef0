import pytest

from bookshop.catalog.isbn import (
    InvalidIsbn,
    check_digit10,
    check_digit13,
    is_isbn,
    normalise,
    to_isbn13,
)


def test_normalise_drops_what_is_only_for_the_eye():
    assert normalise("0-8044-2957-x") == "080442957X"
    assert normalise("978 0 306 40615 7") == "9780306406157"


@pytest.mark.parametrize(
    ("first_nine", "digit"), [("030640615", "2"), ("080442957", "X"), ("000000000", "0")]
)
def test_check_digit10(first_nine, digit):
    assert check_digit10(first_nine) == digit


@pytest.mark.parametrize(
    ("first_twelve", "digit"), [("978030640615", "7"), ("978000000000", "2")]
)
def test_check_digit13(first_twelve, digit):
    assert check_digit13(first_twelve) == digit


@pytest.mark.parametrize("text", ["0306406152", "0-8044-2957-X", "978-0-306-40615-7"])
def test_valid(text):
    assert is_isbn(text)


@pytest.mark.parametrize(
    "text",
    ["", "0306406153", "9780306406158", "1230306406157", "03064X6152", "97803064061", "X" * 13],
)
def test_invalid(text):
    assert not is_isbn(text)


def test_to_isbn13():
    assert to_isbn13("0-306-40615-2") == "9780306406157"
    assert to_isbn13("978-0-306-40615-7") == "9780306406157"
    with pytest.raises(InvalidIsbn):
        to_isbn13("12345")
