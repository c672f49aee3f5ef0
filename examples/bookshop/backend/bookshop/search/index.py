"""An inverted index over titles, authors and subjects, kept in memory."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from bookshop.catalog.models import Book
from bookshop.money import Money
from bookshop.search.query import Query

_WORD = re.compile(r"\w+")
_STOP_WORDS = frozenset({"a", "an", "and", "of", "the"})
_TITLE_WEIGHT = 3
_AUTHOR_WEIGHT = 2


@dataclass(frozen=True)
class Hit:
    book: Book
    score: int


def fold(text: str) -> str:
    """Lower case, without accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def terms(text: str) -> list[str]:
    """The words of a text that are worth looking up."""
    return [word for word in _WORD.findall(fold(text)) if word not in _STOP_WORDS]


def edit_distance(left: str, right: str, limit: int) -> int:
    """How many letters differ; gives up with ``limit + 1`` once it is more than that."""
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    previous = list(range(len(right) + 1))
    for row, a in enumerate(left, start=1):
        current = [row]
        for column, b in enumerate(right, start=1):
            substitution = previous[column - 1] + (a != b)
            current.append(min(previous[column] + 1, current[-1] + 1, substitution))
        if min(current) > limit:
            return limit + 1
        previous = current
    return min(previous[-1], limit + 1)


class SearchIndex:
    def __init__(self, books: Iterable[Book] = ()) -> None:
        self._books: dict[str, Book] = {}
        self._postings: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for book in books:
            self.add(book)

    def __len__(self) -> int:
        return len(self._books)

    def add(self, book: Book) -> None:
        """Index a book; one with the same ISBN is replaced."""
        self.remove(book.isbn)
        self._books[book.isbn] = book
        for term in terms(book.title):
            self._postings[term][book.isbn] += _TITLE_WEIGHT
        for author in book.authors:
            for term in terms(author.display_name):
                self._postings[term][book.isbn] += _AUTHOR_WEIGHT
        for subject in book.subjects:
            for term in terms(subject):
                self._postings[term][book.isbn] += 1

    def remove(self, isbn: str) -> bool:
        if self._books.pop(isbn, None) is None:
            return False
        for term in list(self._postings):
            self._postings[term].pop(isbn, None)
            if not self._postings[term]:
                del self._postings[term]
        return True

    def suggest(self, word: str) -> str | None:
        """The known word nearest to a misspelt one."""
        wanted = fold(word)
        if wanted in self._postings:
            return wanted
        limit = 1 if len(wanted) < 6 else 2
        best, smallest = None, limit + 1
        for term in sorted(self._postings):
            distance = edit_distance(wanted, term, limit)
            if distance < smallest:
                best, smallest = term, distance
        return best

    def search(self, query: Query, limit: int = 20) -> list[Hit]:
        """The best matches first; of equals, in order of title."""
        scores = self._score(query)
        hits = [
            Hit(self._books[isbn], score)
            for isbn, score in scores.items()
            if _matches(self._books[isbn], query)
        ]
        hits.sort(key=lambda hit: (-hit.score, fold(hit.book.title), hit.book.isbn))
        return hits[:limit]

    def _score(self, query: Query) -> dict[str, int]:
        wanted = [term for text in (*query.words, *query.phrases) for term in terms(text)]
        if not wanted:
            return dict.fromkeys(self._books, 0) if not query.is_empty else {}
        scores: dict[str, int] | None = None
        for term in wanted:
            found = self._postings.get(term, Counter())
            if scores is None:
                scores = dict(found)
            else:
                scores = {isbn: score + found[isbn] for isbn, score in scores.items() if isbn in found}
        return scores or {}


def _matches(book: Book, query: Query) -> bool:
    searchable = _searchable(book)
    everything = " ".join(searchable.values())
    if not all(_occurs(phrase, everything) for phrase in query.phrases):
        return False
    if any(_occurs(text, everything) for text in query.excluded):
        return False
    if any(fold(value) not in searchable[field] for field, value in query.fields):
        return False
    return _within(book.price, query.price_from, query.price_to)


def _occurs(text: str, folded: str) -> bool:
    """Whether a text stands in another one, and not only as a part of longer words."""
    return re.search(rf"(?<!\w){re.escape(fold(text))}(?!\w)", folded) is not None


def _searchable(book: Book) -> dict[str, str]:
    return {
        "title": fold(book.title),
        "author": fold(", ".join(author.display_name for author in book.authors)),
        "subject": fold(", ".join(sorted(book.subjects))),
        "format": book.format.value,
    }


def _within(price: Money, low: Decimal | None, high: Decimal | None) -> bool:
    return (low is None or price.major >= low) and (high is None or price.major <= high)
