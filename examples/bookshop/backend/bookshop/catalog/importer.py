"""Reading a publisher's price list, a CSV file with a heading, into books."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from bookshop.catalog.isbn import to_isbn13
from bookshop.catalog.models import Author, Book, BookFormat
from bookshop.catalog.validation import Problem, check_record, is_acceptable
from bookshop.money import Money


@dataclass(frozen=True)
class Rejected:
    """A line that did not become a book, and why."""

    line: int
    problems: tuple[Problem, ...]


def parse_authors(text: str) -> tuple[Author, ...]:
    """Read ``"Family, Given; Family, Given"``; a name without a comma is a family name."""
    authors = []
    for name in text.split(";"):
        family, _, given = name.partition(",")
        author = Author(family.strip(), given.strip())
        if author.family and author not in authors:
            authors.append(author)
    return tuple(authors)


def parse_subjects(text: str) -> frozenset[str]:
    """Read subjects divided by bars, without regard to case."""
    return frozenset(part.strip().casefold() for part in text.split("|") if part.strip())


def read_books(
    lines: Iterable[str],
    today: date,
    on_rejected: Callable[[Rejected], None] | None = None,
) -> Iterator[Book]:
    """Yield the good lines as books; hand the others to ``on_rejected``."""
    reader = csv.DictReader(lines)
    for row in reader:
        record = {key: (value or "").strip() for key, value in row.items() if isinstance(key, str)}
        record = {key: value for key, value in record.items() if value}
        if not record:
            continue
        problems = check_record(record, today)
        if not is_acceptable(problems):
            if on_rejected is not None:
                on_rejected(Rejected(reader.line_num, tuple(problems)))
            continue
        yield _to_book(record)


def newest_by_isbn(books: Iterable[Book]) -> dict[str, Book]:
    """One book for each ISBN: the one published last, or of equals the one listed last."""
    chosen: dict[str, Book] = {}
    for book in books:
        present = chosen.get(book.isbn)
        if present is None or _published(book) >= _published(present):
            chosen[book.isbn] = book
    return chosen


def _published(book: Book) -> date:
    return book.published or date.min


def _to_book(record: dict[str, str]) -> Book:
    published = record.get("published")
    return Book(
        isbn=to_isbn13(record["isbn"]),
        title=record["title"],
        authors=parse_authors(record.get("authors", "")),
        price=Money.parse(record["price"], record.get("currency", "EUR")),
        format=BookFormat(record.get("format", BookFormat.PAPERBACK.value)),
        published=date.fromisoformat(published) if published else None,
        weight_grams=int(record.get("weight_grams", "0")),
        subjects=parse_subjects(record.get("subjects", "")),
    )
