"""Checks on a record from a publisher before it becomes a book."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from ..constants import SUPPORTED_LANGUAGES
from ..money import Money
from .isbn import is_isbn
from .models import BookFormat

_LONGEST_TITLE = 300
_HEAVIEST_GRAMS = 20_000


@dataclass(frozen=True)
class Problem:
    field: str
    message: str
    fatal: bool = True


def check_title(title: str) -> list[Problem]:
    """A title must say something, and fit on a label."""
    problems = []
    if not title.strip():
        problems.append(Problem("title", "is empty"))
    elif len(title) > _LONGEST_TITLE:
        problems.append(Problem("title", f"is longer than {_LONGEST_TITLE} characters"))
    elif title.isupper() and len(title) > 20:
        problems.append(Problem("title", "is written in capitals", fatal=False))
    return problems


def check_price(text: str, currency: str) -> list[Problem]:
    """A price must be readable and not negative; nothing is free by accident."""
    try:
        price = Money.parse(text, currency)
    except ValueError as error:
        return [Problem("price", str(error))]
    if price.minor < 0:
        return [Problem("price", "is negative")]
    if price.is_zero:
        return [Problem("price", "is zero", fatal=False)]
    return []


def check_record(record: Mapping[str, str], today: date) -> list[Problem]:
    """Everything that is wrong with a record, in the order of its fields."""
    problems = []
    if not is_isbn(record.get("isbn", "")):
        problems.append(Problem("isbn", "is not a valid ISBN"))
    problems += check_title(record.get("title", ""))
    problems += check_price(record.get("price", ""), record.get("currency", "EUR"))

    wanted = record.get("format", BookFormat.PAPERBACK.value)
    known = {book_format.value for book_format in BookFormat}
    if wanted not in known:
        problems.append(Problem("format", f"is not one of {', '.join(sorted(known))}"))

    language = record.get("language")
    if language and language not in SUPPORTED_LANGUAGES:
        problems.append(Problem("language", "is not one we sell", fatal=False))

    published = record.get("published")
    if published:
        try:
            day = date.fromisoformat(published)
        except ValueError:
            problems.append(Problem("published", "is not a date"))
        else:
            if day.year > today.year + 2:
                problems.append(Problem("published", "is too far ahead", fatal=False))

    problems += _check_weight(record.get("weight_grams", ""), wanted)
    return problems


def is_acceptable(problems: list[Problem]) -> bool:
    """Warnings do not keep a book out."""
    return not any(problem.fatal for problem in problems)


def _check_weight(text: str, book_format: str) -> list[Problem]:
    if not text:
        return []
    if not (text.isascii() and text.isdigit()):
        return [Problem("weight_grams", "is not a whole number")]
    grams = int(text)
    if grams > _HEAVIEST_GRAMS:
        return [Problem("weight_grams", "is implausibly heavy")]
    if grams and book_format in (BookFormat.EBOOK.value, BookFormat.AUDIOBOOK.value):
        return [Problem("weight_grams", "is given for a digital book", fatal=False)]
    return []
