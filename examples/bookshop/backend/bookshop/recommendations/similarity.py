"""Customers who bought this book also bought ..."""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from bookshop.catalog.models import Book


@dataclass(frozen=True)
class Recommendation:
    isbn: str
    score: float
    reason: str


def jaccard(left: Collection[str], right: Collection[str]) -> float:
    """What two sets share, as a part of what either has; empty sets share nothing."""
    a, b = set(left), set(right)
    union = a | b
    return len(a & b) / len(union) if union else 0.0


def cosine(left: Mapping[str, float], right: Mapping[str, float]) -> float:
    """The cosine of the angle between two sparse vectors."""
    length = math.hypot(*left.values()) * math.hypot(*right.values())
    if length == 0:
        return 0.0
    shorter, longer = (left, right) if len(left) <= len(right) else (right, left)
    return sum(value * longer.get(key, 0.0) for key, value in shorter.items()) / length


def book_similarity(left: Book, right: Book) -> float:
    """From 0 to 1: subjects count most, then authors, then the format."""
    if left.isbn == right.isbn:
        return 1.0
    subjects = jaccard(left.subjects, right.subjects)
    authors = jaccard(
        [author.display_name for author in left.authors],
        [author.display_name for author in right.authors],
    )
    same_format = 1.0 if left.format is right.format else 0.0
    return 0.6 * subjects + 0.3 * authors + 0.1 * same_format


class Recommender:
    """Learns from orders, and falls back to similar books for titles that are rarely bought."""

    def __init__(self, catalogue: Iterable[Book], minimum_support: int = 2) -> None:
        self._catalogue = {book.isbn: book for book in catalogue}
        self._minimum_support = minimum_support
        self._bought: Counter[str] = Counter()
        self._together: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def learn(self, order: Iterable[str]) -> None:
        """Take in the ISBNs of one order; unknown ones are ignored."""
        isbns = sorted({isbn for isbn in order if isbn in self._catalogue})
        self._bought.update(isbns)
        for isbn in isbns:
            for other in isbns:
                if other != isbn:
                    self._together[isbn][other] += 1

    def also_bought(self, isbn: str, count: int = 5) -> list[Recommendation]:
        """Books bought with this one often enough to mean something, the closest first."""
        scored = []
        for other, times in self._together.get(isbn, Counter()).items():
            if times < self._minimum_support:
                continue
            score = times / math.sqrt(self._bought[isbn] * self._bought[other])
            scored.append(Recommendation(other, score, "bought together"))
        return heapq.nsmallest(count, scored, key=_order)

    def similar(self, isbn: str, count: int = 5) -> list[Recommendation]:
        """Books that are like this one."""
        book = self._catalogue.get(isbn)
        if book is None:
            return []
        scored = (
            Recommendation(other.isbn, book_similarity(book, other), "similar")
            for other in self._catalogue.values()
            if other.isbn != isbn
        )
        return heapq.nsmallest(count, (r for r in scored if r.score > 0.1), key=_order)

    def recommend(self, isbns: Collection[str], count: int = 5) -> list[Recommendation]:
        """For a whole cart: bought together first, then similar, nothing twice or already there."""
        chosen: dict[str, Recommendation] = {}
        for method in (self.also_bought, self.similar):
            found = [r for isbn in isbns for r in method(isbn, count + len(isbns))]
            for recommendation in sorted(found, key=_order):
                if len(chosen) >= count:
                    break
                if recommendation.isbn not in isbns:
                    chosen.setdefault(recommendation.isbn, recommendation)
        return list(chosen.values())


def _order(recommendation: Recommendation) -> tuple[float, str]:
    return -recommendation.score, recommendation.isbn
