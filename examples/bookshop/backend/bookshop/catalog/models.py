"""The records the catalogue is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from bookshop.money import Money


class BookFormat(Enum):
    HARDCOVER = "hardcover"
    PAPERBACK = "paperback"
    EBOOK = "ebook"
    AUDIOBOOK = "audiobook"

    @property
    def is_digital(self) -> bool:
        return self in (BookFormat.EBOOK, BookFormat.AUDIOBOOK)


@dataclass(frozen=True)
class Author:
    family: str
    given: str = ""

    @property
    def display_name(self) -> str:
        return f"{self.given} {self.family}" if self.given else self.family

    @property
    def sort_key(self) -> tuple[str, str]:
        return self.family.casefold(), self.given.casefold()


@dataclass(frozen=True)
class Book:
    isbn: str
    title: str
    authors: tuple[Author, ...]
    price: Money
    format: BookFormat = BookFormat.PAPERBACK
    published: date | None = None
    weight_grams: int = 0
    subjects: frozenset[str] = field(default_factory=frozenset)

    def is_published(self, today: date) -> bool:
        """A book without a date has always been out."""
        return self.published is None or self.published <= today

    def byline(self, longest: int = 2) -> str:
        """The authors as a cover shows them: ``A``, ``A and B``, or ``A and others``."""
        names = [author.display_name for author in self.authors]
        if not names:
            return "Anonymous"
        if len(names) == 1:
            return names[0]
        if len(names) > longest:
            return f"{names[0]} and others"
        return ", ".join(names[:-1]) + f" and {names[-1]}"

    def shelf_mark(self) -> str:
        """Where the book stands: its first author's family name and its title without an article."""
        title = self.title
        for article in ("The ", "A ", "An "):
            if title.startswith(article) and len(title) > len(article):
                title = title[len(article) :]
                break
        if not self.authors:
            return title.upper()[:8]
        return f"{self.authors[0].family[:3].upper().strip()} {title[:4].upper().strip()}"
