"""International Standard Book Numbers, with ten and thirteen digits."""

from __future__ import annotations


class InvalidIsbn(ValueError):
    """The text is not an ISBN."""


def normalise(text: str) -> str:
    """Drop hyphens and spaces and write the check digit X as a capital."""
    return text.replace("-", "").replace(" ", "").upper()


def check_digit10(first_nine: str) -> str:
    """The last character of an ISBN-10."""
    weighted = sum((10 - i) * int(digit) for i, digit in enumerate(first_nine))
    value = -weighted % 11
    return "X" if value == 10 else str(value)


def check_digit13(first_twelve: str) -> str:
    """The last digit of an ISBN-13."""
    weighted = sum((3 if i % 2 else 1) * int(digit) for i, digit in enumerate(first_twelve))
    return str(-weighted % 10)


def is_isbn(text: str) -> bool:
    """Whether the text is an ISBN of either length with the right check digit."""
    isbn = normalise(text)
    if len(isbn) == 10:
        return _all_digits(isbn[:-1]) and check_digit10(isbn[:-1]) == isbn[-1]
    if len(isbn) == 13:
        return (
            _all_digits(isbn)
            and isbn.startswith(("978", "979"))
            and check_digit13(isbn[:-1]) == isbn[-1]
        )
    return False


def to_isbn13(text: str) -> str:
    """The thirteen-digit form, which the shop uses as its key."""
    if not is_isbn(text):
        raise InvalidIsbn(text)
    isbn = normalise(text)
    if len(isbn) == 13:
        return isbn
    body = "978" + isbn[:-1]
    return body + check_digit13(body)


def _all_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
